/** strace(1), which writes down the system calls of a program as the kernel sees them. */
import { existsSync, readFileSync } from "node:fs";
import { findTool } from "./tools.ts";

/** Everything that changes a file system, or waits until it is changed. Not every machine has all of these calls. */
const CALLS = [
  ...["openat", "open", "creat", "write", "pwrite64", "writev", "ftruncate", "fsync", "fdatasync"],
  ...["rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat", "unlink", "unlinkat"],
  ...["rmdir", "mkdir", "mkdirat", "chmod", "fchmod", "fchmodat", "chown", "fchown", "fchownat"],
];

/**
 * Words that run a program with every such call of it, and of its threads and children, written to `log`. The process is
 * the program itself.
 */
export function tracedTo(log: string): readonly string[] {
  const strace = findTool("strace");
  if (strace === undefined)
    throw new Error("there is no strace: install it, or run this as npm run test:faults");
  const trace = `trace=${CALLS.map((call) => `?${call}`).join()}`;
  return [strace, "-D", "-f", "-y", "-s", "1000000", "-o", log, "-e", trace, "-e", "signal=none"];
}

/** Whether the log is written to its end. */
export function hasLogEnded(log: string, pid: number | undefined): boolean {
  return existsSync(log) && new RegExp(`^${pid} +\\+\\+\\+ `, "m").test(readFileSync(log, "utf8"));
}
