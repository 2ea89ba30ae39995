/** A service under test, in a process of its own, that can be killed, frozen, or put in a mood. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:tls";
import { fileURLToPath } from "node:url";
import { freePorts } from "../../../src/dev/etcd.ts";
import type { Scope } from "../../support/scope.ts";
import { serverNameOf } from "./content.ts";
import type { HookSeen, Mood } from "./service-program.ts";

/** A service under test. */
export interface ServiceUnderTest {
  readonly name: string;
  readonly bundles: readonly string[];
  /** What `services[]` of the configuration says of it. */
  readonly settings: object;
  /** Called for each hook, when it was answered. */
  onHook: (seen: HookSeen) => void;
  /** When it was last in trouble: milliseconds of the monotonic clock; -1 for never. */
  readonly troubledAtMs: () => number;
  /** In this mood for a while. */
  feel(mood: Mood, during: () => Promise<void>): Promise<void>;
  /** Not there for a while. */
  beAway(during: () => Promise<void>): Promise<void>;
  /** There and silent for a while, as a process that hangs. */
  freeze(during: () => Promise<void>): Promise<void>;
  /** The common name of the leaf that a new session gets for a bundle; undefined where there is none. */
  served(bundle: string): Promise<string | undefined>;
}

const PROGRAM = fileURLToPath(new URL("./service-program.ts", import.meta.url));
const HANDSHAKE_TIMEOUT_MS = 5_000;

/** Starts one for these bundles of an output folder; it is ended when the run is over. */
export async function useServiceUnderTest(
  scope: Scope,
  name: string,
  outputDir: string,
  bundles: readonly string[],
): Promise<ServiceUnderTest> {
  const [tlsPort = 0, hookPort = 0] = await freePorts(2);
  const folders = bundles.map((bundle) => `${outputDir}/${bundle}`);
  const env = {
    ...process.env,
    BUNDLES: folders.join(":"),
    TLS_PORT: String(tlsPort),
    HOOK_PORT: String(hookPort),
  };
  let troubledAtMs = -1;
  const start = async (): Promise<ChildProcess> => {
    const child = fork(PROGRAM, { env });
    await once(child, "message");
    child.on("message", (seen) => service.onHook(seen as HookSeen));
    return child;
  };
  const end = async () => {
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  };
  /** In trouble until the end of it, and known as such. */
  const trouble = async (
    begin: () => Promise<void> | void,
    during: () => Promise<void>,
    over: typeof begin,
  ) => {
    troubledAtMs = Number.POSITIVE_INFINITY;
    await begin();
    try {
      await during();
    } finally {
      await over();
      troubledAtMs = performance.now();
    }
  };
  const service: ServiceUnderTest = {
    name,
    bundles,
    settings: {
      name,
      bundles,
      notify: { http: { url: `http://127.0.0.1:${hookPort}/-/reload` } },
      verify: { tls: { address: `127.0.0.1:${tlsPort}`, connections: 2 }, every: "2s" },
    },
    onHook: () => undefined,
    troubledAtMs: () => troubledAtMs,
    feel: (mood, during) =>
      trouble(
        () => void child.send(mood),
        during,
        () => void child.send("good"),
      ),
    beAway: (during) =>
      trouble(end, during, async () => {
        child = await start();
      }),
    freeze: (during) =>
      trouble(
        () => void child.kill("SIGSTOP"),
        during,
        () => void child.kill("SIGCONT"),
      ),
    served: (bundle) => commonNameOn(tlsPort, serverNameOf(bundle)),
  };
  let child = await start();
  scope.after(end);
  return service;
}

function commonNameOn(port: number, servername: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, servername, rejectUnauthorized: false });
    socket.once("secureConnect", () => {
      const subject = socket.getPeerX509Certificate()?.subject;
      socket.destroy();
      resolve(subject?.replace(/^CN=/, ""));
    });
    socket.once("error", () => resolve(undefined));
    socket.setTimeout(HANDSHAKE_TIMEOUT_MS, () => {
      socket.destroy();
      resolve(undefined);
    });
  });
}
