/** One command to haproxy's runtime API and its answer (haproxy management guide §9.3), bounded in time and size. */
import { connect } from "node:net";
import { systemCodeOf } from "../core/errors.ts";

/** What came of a command. `unreachable`: nobody listens there; `denied`: keyturn may not open the socket. */
export type SocketAnswer =
  | { readonly kind: "answer"; readonly text: string }
  | { readonly kind: "timeout" }
  | { readonly kind: "unreachable" | "denied" | "broken"; readonly code: string };

/** Long enough for the names of ten thousand certificates. */
const MAX_ANSWER_CHARS = 1 << 20;
const NOBODY_THERE = ["ENOENT", "ECONNREFUSED"];
const NOT_ALLOWED = ["EACCES", "EPERM"];

/**
 * Sends one command and reads until haproxy ends the connection. Never rejects.
 *
 * The connection is not half closed after the command: not every version answers to what is half gone.
 */
export function ask(socketPath: string, command: string, signal: AbortSignal): Promise<SocketAnswer> {
  return new Promise((resolve) => {
    let text = "";
    const finish = (answer: SocketAnswer) => {
      resolve(answer);
      socket.destroy();
    };
    const socket = connect({ path: socketPath, signal });
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => {
      text += chunk;
      if (text.length > MAX_ANSWER_CHARS) finish({ kind: "answer", text: text.slice(0, MAX_ANSWER_CHARS) });
    });
    // Every answer ends with an empty line at least.
    socket.on("end", () => finish(text === "" ? { kind: "broken", code: "EOF" } : { kind: "answer", text }));
    socket.on("error", (error) => {
      const code = systemCodeOf(error) ?? error.name;
      if (signal.aborted) finish({ kind: "timeout" });
      else if (NOBODY_THERE.includes(code)) finish({ kind: "unreachable", code });
      else finish({ kind: NOT_ALLOWED.includes(code) ? "denied" : "broken", code });
    });
    socket.write(`${command}\n`);
  });
}
