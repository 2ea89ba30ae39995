/** What the machine is: versions, limits, and what is on disk, by name, mode and owner, never by content. */
import { constants, type Stats } from "node:fs";
import { access, lstat, readdir, readFile, readlink, statfs } from "node:fs/promises";
import {
  arch,
  availableParallelism,
  freemem,
  hostname,
  machine,
  release,
  totalmem,
  type,
  uptime,
} from "node:os";
import { join } from "node:path";
import { messageOf } from "../core/errors.ts";
import { version } from "../version.ts";

/** More than that says no more. */
const MOST_ENTRIES = 20_000;
const DEEPEST = 5;

/** A file or a folder, without what is in it. */
interface Listed {
  readonly path: string;
  readonly kind: "file" | "folder" | "link" | "other";
  /** Octal. */
  readonly mode: string;
  readonly uid: number;
  readonly gid: number;
  readonly bytes: number;
  readonly modifiedAt: string;
  /** Where a link leads. */
  readonly to?: string;
}

/** What runs here. */
export async function describeMachine(): Promise<object> {
  const { node, openssl, v8, uv } = process.versions;
  return {
    versions: { keyturn: version, node, openssl, v8, uv },
    system: {
      ...{ type: type(), kernel: release(), machine: machine(), arch: arch() },
      distribution: await read("/etc/os-release", (text) => /^PRETTY_NAME="?([^"\n]*)/m.exec(text)?.[1]),
      ...{ cpus: availableParallelism(), memoryBytes: totalmem(), freeBytes: freemem(), upSeconds: uptime() },
      hostname: hostname(),
      timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    },
    asker: { uid: process.getuid?.(), gid: process.getgid?.(), groups: process.getgroups?.() },
  };
}

/** The limits of whoever asks, and of the daemon that holds the output folder, where that is known. */
export async function describeLimits(outputDir: string): Promise<object> {
  const note = await readFile(join(outputDir, ".lock"), "utf8").catch(() => "");
  const pid = /\d+/.exec(note)?.[0];
  const ofProcess = async (id: string) => ({
    limits: await read(`/proc/${id}/limits`, linesOf),
    status: await read(`/proc/${id}/status`, (text) =>
      linesOf(text).filter((line) =>
        /^(?:Name|State|Uid|Gid|Groups|VmRSS|VmHWM|Threads|CapEff|NoNewPrivs|Seccomp):/.test(line),
      ),
    ),
    descriptors: await readdir(`/proc/${id}/fd`).then(
      ({ length }) => length,
      (thrown: unknown) => `not known: ${messageOf(thrown)}`,
    ),
  });
  return {
    asker: await ofProcess("self"),
    daemon:
      pid === undefined
        ? `not known: ${join(outputDir, ".lock")} names no process`
        : { pid, ...(await ofProcess(pid)) },
  };
}

/** The output folder, and how full its disk is. */
export async function listOutput(dir: string): Promise<object> {
  const entries: Listed[] = [];
  const problems: string[] = [];
  await list(dir, 0, entries, problems);
  const disk = await statfs(dir).then(
    ({ bsize, blocks, bavail, files, ffree }) => ({
      ...{ bytes: bsize * blocks, freeBytes: bsize * bavail, inodes: files, freeInodes: ffree },
    }),
    (thrown: unknown) => `not known: ${messageOf(thrown)}`,
  );
  return { dir, disk, entries, ...(problems.length > 0 ? { problems } : {}) };
}

/** Files elsewhere: whether they are there, whose they are, and whether who asks may read them. */
export async function listFiles(
  files: readonly { readonly setting: string; readonly file: string }[],
): Promise<object[]> {
  return Promise.all(
    files.map(async ({ setting, file }) => {
      try {
        const isReadable = await access(file, constants.R_OK).then(
          () => true,
          () => false,
        );
        return { setting, ...describe(file, await lstat(file)), isReadable };
      } catch (thrown) {
        return { setting, path: file, missing: messageOf(thrown) };
      }
    }),
  );
}

async function list(path: string, depth: number, entries: Listed[], problems: string[]): Promise<void> {
  if (entries.length >= MOST_ENTRIES) {
    if (entries.length === MOST_ENTRIES && problems.at(-1) !== "there is more")
      problems.push("there is more");
    return;
  }
  try {
    const entry = describe(path, await lstat(path));
    entries.push(entry.kind === "link" ? { ...entry, to: await readlink(path) } : entry);
    if (entry.kind !== "folder" || depth >= DEEPEST) return;
    for (const name of (await readdir(path)).sort())
      await list(join(path, name), depth + 1, entries, problems);
  } catch (thrown) {
    problems.push(messageOf(thrown));
  }
}

function describe(path: string, stats: Stats): Listed {
  const { mode, uid, gid, size, mtime } = stats;
  const kind = stats.isFile()
    ? "file"
    : stats.isDirectory()
      ? "folder"
      : stats.isSymbolicLink()
        ? "link"
        : "other";
  const octal = (mode & 0o7777).toString(8).padStart(4, "0");
  return { path, kind, mode: octal, uid, gid, bytes: size, modifiedAt: mtime.toISOString() };
}

async function read<T>(file: string, part: (text: string) => T): Promise<T | string> {
  try {
    return part(await readFile(file, "utf8"));
  } catch (thrown) {
    return `not known: ${messageOf(thrown)}`;
  }
}

function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}
