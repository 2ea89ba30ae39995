/** One message to systemd, by its own systemd-notify(1): Node has no datagram sockets of the kind that sd_notify(3) needs. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { KeyturnError, messageOf, systemCodeOf } from "../core/errors.ts";

/** It waits until systemd has read the message, and a systemd that is stuck must not hold up what waits for it. */
const TIMEOUT_MS = 5_000;

/**
 * Sends assignments such as `READY=1` as one message, and returns when systemd has it.
 *
 * @param socket What `NOTIFY_SOCKET` says.
 * @throws KeyturnError PROGRAM_MISSING, PROGRAM_FAILED.
 */
export async function notifySystemd(socket: string, assignments: readonly string[]): Promise<void> {
  const env = { NOTIFY_SOCKET: socket, PATH: process.env.PATH };
  // From /: a working folder that was removed would look like a program that is missing.
  const child = spawn("systemd-notify", assignments, {
    env,
    cwd: "/",
    stdio: ["ignore", "ignore", "pipe"],
    timeout: TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
  let complaint = "";
  child.stderr.on("data", (chunk: Buffer) => {
    complaint += chunk;
  });
  let end: [number | null, NodeJS.Signals | null];
  try {
    end = (await once(child, "close")) as typeof end;
  } catch (cause) {
    const isMissing = systemCodeOf(cause) === "ENOENT";
    const why = isMissing ? "it is not installed; it comes with systemd" : messageOf(cause);
    const message = `systemd cannot be told by systemd-notify: ${why}`;
    throw new KeyturnError(isMissing ? "PROGRAM_MISSING" : "PROGRAM_FAILED", message, { cause });
  }
  const [code, signal] = end;
  if (code === 0) return;
  const why = code === null ? `was ended by ${signal}` : `ended with ${code}: ${complaint.trim()}`;
  throw new KeyturnError("PROGRAM_FAILED", `systemd cannot be told: systemd-notify ${why}`);
}
