/** Everything the demo runs against: an etcd, a CA, the example services and the daemon, each a real process on loopback. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Etcd3 } from "etcd3";
import { stringify } from "yaml";
import type { Digest } from "../core/digest.ts";
import { type Authority, createAuthority } from "../dev/authority.ts";
import { freePorts, startEtcd } from "../dev/etcd.ts";
import type { CloseStack } from "../runtime/close-stack.ts";
import { type Program, startProgram } from "./program.ts";

/** An example service, and the bundle of the same name that it uses. */
export interface DemoService {
  readonly name: string;
  readonly example: Example;
  /** Of its bundle. */
  readonly bundleDir: string;
  readonly serverName: string;
  readonly port: number;
  /** The next line it says, from now on, that `pick` makes something of. */
  next<T>(pick: (line: ServiceLine) => T | undefined): Promise<T>;
}

/** What the demo reads of a line of an example service. Times are Unix milliseconds with a fraction. */
type ServiceLine =
  /** Hooks are taken. */
  | { readonly event: "listening" }
  /** TLS is served, from the first bundle on. */
  | { readonly event: "serving" }
  /** A hook was answered, and this is served. */
  | {
      readonly event: "hook";
      readonly receivedAtMs: number;
      readonly digest: Digest;
      /** Of the leaf. */
      readonly fingerprint256: string;
    };

/** The stage, set. */
export interface Stage {
  readonly endpoint: string;
  readonly adminUrl: string;
  readonly authority: Authority;
  readonly services: readonly DemoService[];
  /** Puts a bundle; gives the revision of etcd. */
  put(name: string, pem: string): Promise<number>;
  /** The next line of the daemon's log, from now on, that `pick` makes something of. */
  logged: Program<LogLine>["next"];
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

/** Which of the examples it is. */
type Example = "inference" | "grpc";

const SERVICES: readonly (readonly [name: string, example: Example])[] = [
  ["chat", "inference"],
  ["embeddings", "inference"],
  ["ranking", "grpc"],
];
/** This file is TypeScript in a checkout and JavaScript in the package; so is the daemon's. */
const EXTENSION = extname(fileURLToPath(import.meta.url));
const DAEMON = fileURLToPath(new URL(`../cli${EXTENSION}`, import.meta.url));
const EXAMPLES = fileURLToPath(new URL("../../examples", import.meta.url));

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
    SERVICES.map(([name, example]) =>
      startService({ name, example, bundleDir: join(outputDir, name) }, secretFile, closes),
    ),
  );

  const configFile = join(dir, "keyturn.yaml");
  const config = {
    node: "demo",
    etcd: { endpoints: [etcd.endpoint] },
    output: { dir: outputDir },
    admin: { listen: "127.0.0.1:0" },
    log: { format: "json" },
    services: started.map(({ service, hookPort }) => ({
      name: service.name,
      bundles: [service.name],
      notify: { http: { url: `http://127.0.0.1:${hookPort}/-/reload`, secretFile } },
      verify: { tls: probeOf(service) },
    })),
  };
  await writeFile(configFile, stringify(config));
  const daemon = startProgram<LogLine>("keyturn", [DAEMON, "run", "--config", configFile], {}, closes);
  const running = daemon.next((line) => (line.msg === "keyturn is running" ? line : undefined));
  const { admin: adminUrl = "" } = await daemon.started(running);
  return {
    endpoint: etcd.endpoint,
    adminUrl,
    logged: daemon.next,
    authority: await createAuthority("keyturn demo CA"),
    services: started.map(({ service }) => service),
    put: async (name, pem) => Number((await client.put(`/certs/${name}.pem`).value(pem)).header.revision),
  };
}

/** How the daemon looks at a service: one with mutual TLS wants to see a certificate, and its own bundle has one. */
function probeOf({ name, example, port, serverName }: DemoService) {
  const probe = { address: `127.0.0.1:${port}`, serverName };
  return example === "grpc" ? { ...probe, bundles: [name], clientBundle: name } : probe;
}

async function startService(
  about: Pick<DemoService, "name" | "example" | "bundleDir">,
  secretFile: string,
  closes: CloseStack,
): Promise<{ readonly service: DemoService; readonly hookPort: number }> {
  const [port = 0, hookPort = 0] = await freePorts(2);
  const { name, example, bundleDir } = about;
  const serverName = `${name}.local`;
  const address = `127.0.0.1:${port}`;
  const env = {
    BUNDLE_DIR: bundleDir,
    HOOK_SECRET_FILE: secretFile,
    HOOK_LISTEN: `127.0.0.1:${hookPort}`,
    ...(example === "grpc" ? { GRPC_LISTEN: address } : { HTTPS_LISTEN: address }),
    SERVER_NAME: serverName,
  };
  const argv = [join(EXAMPLES, `${example}.js`)];
  const program = startProgram<ServiceLine>(`the service ${name}`, argv, env, closes);
  await program.started(program.next(({ event }) => event === "listening" || undefined));
  return { service: { ...about, serverName, port, next: program.next }, hookPort };
}
