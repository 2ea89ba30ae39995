/**
 * A small file system of a test's own, which fills up without harm to the machine.
 *
 * It is mounted in a mount namespace that belongs to a shell of ours, so that no root is needed, nobody else sees it, and
 * it goes when the shell does. /proc leads into that namespace.
 */
import { spawn } from "node:child_process";
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statfsSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Scope } from "./scope.ts";
import { findTool } from "./tools.ts";

/** How much fits. */
export interface DiskSize {
  readonly kib: number;
  readonly inodes: number;
}

/** A test can be skipped; a program is told by what it gets. */
type SkippableScope = Scope & { skip?(why: string): void };

/** A file system that is mounted. */
export interface SmallDisk {
  /** An empty folder on it. */
  readonly path: string;
  /** Uses space up until so many blocks of 4 KiB and so many inodes are free. */
  leave(free: { readonly blocks?: number; readonly inodes?: number }): void;
  /** Gives back what {@link leave} took. */
  freeUp(): void;
  /** Makes it read-only, or writable again. */
  remount(how: "ro" | "rw"): Promise<void>;
}

const BLOCK = 4_096;

/** Mounts it; undefined, and a test is skipped, where this machine does not let this user. */
export async function useSmallDisk(
  t: SkippableScope,
  folder: string,
  { kib, inodes }: DiskSize,
): Promise<SmallDisk | undefined> {
  const unshare = findTool("unshare");
  if (unshare === undefined) return skip(t, "unshare(1) is not installed");
  const shell = spawn(unshare, ["--map-root-user", "--mount", "sh"], { stdio: ["pipe", "pipe", "pipe"] });
  t.after(() => void shell.kill("SIGKILL"));
  const answers = createInterface(shell.stdout)[Symbol.asyncIterator]();
  let complaints = "";
  shell.stderr.on("data", (chunk: Buffer) => {
    complaints += chunk;
  });
  // The shell may be refused its namespace, and end.
  shell.stdin.on("error", () => undefined);
  const run = async (command: string) => {
    shell.stdin.write(`${command}; echo $?\n`);
    const { value } = await answers.next();
    return value === "0";
  };
  const disk = join(folder, "disk");
  const size = `size=${kib}k,nr_inodes=${inodes},mode=0755`;
  if (!(await run(`mkdir ${disk} && mount -t tmpfs -o ${size} keyturn-test ${disk}`))) {
    return skip(t, `this user may not mount a file system here: ${complaints.trim()}`);
  }
  const path = `/proc/${shell.pid}/root${disk}`;
  const fillers = join(path, "fillers");
  mkdirSync(fillers);
  writeFileSync(join(fillers, "blocks"), "");
  return {
    path,
    leave: ({ blocks, inodes: few }) => {
      const { bavail, ffree } = statfsSync(path);
      if (few !== undefined) {
        for (let i = few; i < ffree; i++) writeFileSync(join(fillers, `inode-${i}`), "");
      }
      if (blocks !== undefined) {
        appendFileSync(join(fillers, "blocks"), Buffer.alloc(Math.max(0, bavail - blocks) * BLOCK, "x"));
      }
    },
    freeUp: () => {
      truncateSync(join(fillers, "blocks"));
      for (const name of readdirSync(fillers)) if (name !== "blocks") rmSync(join(fillers, name));
    },
    remount: async (how) => {
      if (!(await run(`mount -o remount,${how} ${disk}`))) throw new Error(complaints);
    },
  };
}

function skip(t: SkippableScope, why: string): undefined {
  t.skip?.(why);
}
