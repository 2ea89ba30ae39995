/** Everything the demo runs against: an etcd, a CA, two services and the daemon, each a real process on loopback. */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Etcd3 } from "etcd3";
import { stringify } from "yaml";
import { KeyturnError } from "../core/errors.ts";
import { type Authority, createAuthority } from "../dev/authority.ts";
import { freePorts, startEtcd } from "../dev/etcd.ts";
import type { CloseStack } from "../runtime/close-stack.ts";
import type { ServiceMessage } from "./messages.ts";

/** One sample service, and the bundle of the same name that it uses. */
export interface DemoService {
  readonly name: string;
  readonly serverName: string;
  /** The next message, from now on, that `pick` makes something of. */
  next<T>(pick: (message: ServiceMessage) => T | undefined): Promise<T>;
}

/** The stage, set. */
export interface Stage {
  readonly endpoint: string;
  readonly adminUrl: string;
  readonly authority: Authority;
  readonly services: readonly DemoService[];
  /** Puts a bundle; gives the revision of etcd. */
  put(name: string, pem: string): Promise<number>;
  /** The next line of the daemon's log, from now on, that `pick` makes something of. */
  logged<T>(pick: (line: LogLine) => T | undefined): Promise<T>;
}

/** What the demo reads of a line of the daemon's log. */
export interface LogLine {
  readonly msg: string;
  readonly event?: string;
  readonly admin?: string;
  readonly bundle?: string;
  readonly digest?: string;
  readonly outcome?: string;
  readonly why?: string;
  readonly problems?: readonly { readonly code: string; readonly message: string }[];
}

const NAMES = ["chat", "embeddings"];
/** This file is TypeScript in a checkout and JavaScript in the package; so are the programs it starts. */
const EXTENSION = extname(fileURLToPath(import.meta.url));
const START_TIMEOUT_MS = 30_000;

/** Sets the stage. Whatever is started is pushed on `closes`. */
export async function setStage(closes: CloseStack): Promise<Stage> {
  const dir = await mkdtemp(join(tmpdir(), "keyturn-demo-"));
  closes.push(() => rm(dir, { recursive: true, force: true }));
  const etcd = await startEtcd();
  closes.push(() => etcd.stop());
  const client = new Etcd3({ hosts: etcd.endpoint });
  closes.push(() => client.close());

  const outputDir = join(dir, "output");
  const secretFile = join(dir, "hook-secret");
  await writeFile(secretFile, `whsec_${randomBytes(32).toString("base64")}\n`, { mode: 0o600 });
  const started = await Promise.all(
    NAMES.map((name) => startService(name, join(outputDir, name), secretFile, closes)),
  );

  const configFile = join(dir, "keyturn.yaml");
  const config = {
    node: "demo",
    etcd: { endpoints: [etcd.endpoint] },
    output: { dir: outputDir },
    admin: { listen: "127.0.0.1:0" },
    log: { format: "json" },
    services: started.map(({ service, hookPort, tlsPort }) => ({
      name: service.name,
      bundles: [service.name],
      notify: { http: { url: `http://127.0.0.1:${hookPort}/-/reload`, secretFile } },
      verify: { tls: { address: `127.0.0.1:${tlsPort}`, serverName: service.serverName } },
    })),
  };
  await writeFile(configFile, stringify(config));
  const log = startKeyturn(configFile, closes);
  const { admin: adminUrl = "" } = await log.running;
  return {
    endpoint: etcd.endpoint,
    adminUrl,
    logged: log.next,
    authority: await createAuthority("keyturn demo CA"),
    services: started.map(({ service }) => service),
    put: async (name, pem) => Number((await client.put(`/certs/${name}.pem`).value(pem)).header.revision),
  };
}

async function startService(
  name: string,
  bundleDir: string,
  secretFile: string,
  closes: CloseStack,
): Promise<{ readonly service: DemoService; readonly hookPort: number; readonly tlsPort: number }> {
  const [tlsPort = 0] = await freePorts(1);
  const serverName = `${name}.local`;
  const program = fileURLToPath(new URL(`./service${EXTENSION}`, import.meta.url));
  const env = {
    ...process.env,
    BUNDLE_DIR: bundleDir,
    HOOK_SECRET_FILE: secretFile,
    HTTPS_LISTEN: `127.0.0.1:${tlsPort}`,
    SERVER_NAME: serverName,
  };
  // A process group of its own: Ctrl-C ends the demo, and the demo ends this, in order.
  const child = fork(program, { env, detached: true });
  closes.push(() => end(child));
  const service: DemoService = {
    name,
    serverName,
    next: (pick) =>
      new Promise((resolve) => {
        const onMessage = (message: unknown): void => {
          const picked = pick(message as ServiceMessage);
          if (picked === undefined) return;
          child.off("message", onMessage);
          resolve(picked);
        };
        child.on("message", onMessage);
      }),
  };
  const listening = service.next((said) => (said.kind === "listening" ? said.port : undefined));
  const hookPort = await Promise.race([listening, exitOf(child, `the service ${name}`)]);
  return { service, hookPort, tlsPort };
}

/** The daemon, as a user runs it; what it does is read from its log. */
function startKeyturn(configFile: string, closes: CloseStack) {
  const program = fileURLToPath(new URL(`../cli${EXTENSION}`, import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, program, "run", "--config", configFile], {
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
  });
  closes.push(() => end(child));
  const lines = createInterface(child.stdout);
  const next: Stage["logged"] = (pick) =>
    new Promise((resolve) => {
      const onLine = (text: string): void => {
        const picked = pick(JSON.parse(text) as LogLine);
        if (picked === undefined) return;
        lines.off("line", onLine);
        resolve(picked);
      };
      lines.on("line", onLine);
    });
  const running = next((line) => (line.msg === "keyturn is running" ? line : undefined));
  return { next, running: Promise.race([running, exitOf(child, "keyturn")]) };
}

async function exitOf(child: ChildProcess, what: string): Promise<never> {
  const [code] = await once(child, "exit", { signal: AbortSignal.timeout(START_TIMEOUT_MS) });
  throw new KeyturnError("PROGRAM_FAILED", `${what} did not start: it ended with ${code}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGTERM");
  await gone;
}
