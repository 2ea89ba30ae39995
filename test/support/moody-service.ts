/** A service with a mood, in a process of its own, and something that starts it again when it ends. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { connect } from "node:tls";
import { fileURLToPath } from "node:url";
import { freePorts } from "../../src/dev/etcd.ts";

const PROGRAM = fileURLToPath(new URL("./moody-program.ts", import.meta.url));

/** What it does when it is told of a rotation; the first certificate, and a way back, it always takes. */
export type Mood = "good" | "deaf" | "third" | "dies" | "hangs" | "late";

/** A service that runs. */
export interface MoodyService {
  readonly hookUrl: string;
  readonly tlsAddress: string;
  /** How often it was started. */
  readonly starts: () => number;
  /** SHA-256 of the leaf that a new connection gets; undefined where there is none. */
  served(): Promise<string | undefined>;
}

/**
 * Starts it; it is ended when the test is over.
 *
 * @param folder Where `other.pem` is, the certificate of nobody's, and where it keeps notes.
 */
export async function useMoodyService(
  t: TestContext,
  { bundleDir, mood, folder }: { bundleDir: string; mood: Mood; folder: string },
): Promise<MoodyService> {
  const [tlsPort = 0, hookPort = 0] = await freePorts(2);
  const env = {
    ...process.env,
    BUNDLE_DIR: bundleDir,
    TLS_PORT: String(tlsPort),
    HOOK_PORT: String(hookPort),
    MOOD: mood,
    OTHER_PEM: join(folder, "other.pem"),
    FIRST_PEM: join(folder, "first.pem"),
  };
  let child: ChildProcess | undefined;
  let isOver = false;
  let count = 0;
  const start = () => {
    count++;
    child = fork(PROGRAM, { env });
    child.once("exit", () => {
      if (!isOver) start();
    });
    return child;
  };
  const first = start();
  t.after(() => {
    isOver = true;
    child?.kill("SIGKILL");
  });
  await once(first, "message");
  return {
    hookUrl: `http://127.0.0.1:${hookPort}/-/reload`,
    tlsAddress: `127.0.0.1:${tlsPort}`,
    starts: () => count,
    served: () => fingerprintOn(tlsPort),
  };
}

/** A handshake from outside, with a session of its own. */
function fingerprintOn(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ca: [] });
    socket.once("secureConnect", () => {
      const fingerprint = socket.getPeerX509Certificate()?.fingerprint256;
      socket.destroySoon();
      resolve(fingerprint);
    });
    socket.once("error", () => resolve(undefined));
    socket.setTimeout(5_000, () => {
      socket.destroy();
      resolve(undefined);
    });
  });
}
