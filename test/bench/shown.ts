/** Whether a certificate is where it has to be when the hook arrives: asked after the time was taken. */
import { readFileSync } from "node:fs";
import { connect } from "node:tls";
import type { Started } from "./contender.ts";

const LOOK_TIMEOUT_MS = 5_000;

/** Whether the leaf is on disk and, where a service is to be looked at, in a new TLS session too. */
export async function isShown(
  { file, tlsPort }: Pick<Started, "file" | "tlsPort">,
  leafPem: string,
): Promise<boolean> {
  const leaf = compact(leafPem);
  if (!isOnDisk(file, leaf)) return false;
  return tlsPort === null || compact(await servedLeaf(tlsPort)) === leaf;
}

function isOnDisk(file: string, leaf: string): boolean {
  try {
    return compact(readFileSync(file, "utf8")).includes(leaf);
  } catch {
    // Not there at all, which is what is asked.
    return false;
  }
}

/** The leaf that a new session gets, as PEM; nothing where there is none. */
function servedLeaf(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({
      host: "127.0.0.1",
      port,
      rejectUnauthorized: false,
      timeout: LOOK_TIMEOUT_MS,
    });
    socket.once("secureConnect", () => {
      resolve(socket.getPeerX509Certificate()?.toString() ?? "");
      socket.destroy();
    });
    socket.on("timeout", () => socket.destroy());
    // Its end follows.
    socket.on("error", () => undefined);
    socket.once("close", () => resolve(""));
  });
}

/** PEM may be folded in other places. */
function compact(pem: string): string {
  return pem.replace(/\s/g, "");
}
