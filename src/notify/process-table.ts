/** What the kernel says of a process by its number, read from /proc (proc(5)) at once. */
import { readFileSync, statSync } from "node:fs";
import { basename } from "node:path";
import { systemCodeOf } from "../core/errors.ts";

/** The kernel keeps this much of a name in `comm`. */
const COMM_CHARS = 15;

/** Whether the process runs: it is there, and has not ended with nobody to take note of it. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (thrown) {
    // EPERM: it is there, and belongs to somebody else.
    if (systemCodeOf(thrown) === "ESRCH") return false;
  }
  // "pid (comm) state …"; the name may itself hold spaces and brackets.
  const state = readProc(pid, "stat")?.replace(/^.*\) /s, "")[0];
  return state !== "Z" && state !== "X";
}

/** Names the process goes by: as the kernel has it, cut, and as it calls itself; empty where they cannot be read. */
export function namesOf(pid: number): readonly string[] {
  const comm = readProc(pid, "comm")?.trimEnd() ?? "";
  const [argv0 = ""] = readProc(pid, "cmdline")?.split("\0") ?? [];
  // A program may put a title there, such as "nginx: master process /usr/sbin/nginx".
  const [title = ""] = argv0.split(": ");
  return [...new Set([comm, basename(argv0), basename(title)])].filter((name) => name !== "");
}

/** Whether one of a process' names is this one. */
export function isNamed(names: readonly string[], name: string): boolean {
  return names.includes(name) || (name.length > COMM_CHARS && names.includes(name.slice(0, COMM_CHARS)));
}

/** The user it runs as; undefined where that cannot be seen. */
export function ownerOf(pid: number): number | undefined {
  try {
    return statSync(`/proc/${pid}`).uid;
  } catch {
    return undefined;
  }
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    // It has just ended, or /proc shows only one's own processes.
    return undefined;
  }
}
