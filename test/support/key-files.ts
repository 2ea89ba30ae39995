/** Finds, in what strace wrote, every file that ever held a private key, with every mode it ever had. */

/** A file that a private key was written to. */
export interface KeyFile {
  /** The name it had last. */
  readonly path: string;
  /** As it was created, without regard to the umask, and each that was set. */
  readonly modes: readonly number[];
}

interface TracedFile {
  path: string;
  readonly modes: number[];
  holdsKey: boolean;
}

/** The calls that the reader needs to see: for `strace -f -y -s 48`. */
export const TRACED_CALLS = [
  "open,openat,creat,mkdir,mkdirat,chmod,fchmod,fchmodat,rename,renameat,renameat2,link,linkat,symlink,symlinkat",
  "write,pwrite64,writev,pwritev",
].join(",");

/** Of a file that was there before the trace began: nothing is known of it, so the worst is taken. */
const UNKNOWN_MODE = 0o777;
const AT = "(?:AT_FDCWD(?:<[^>]*>)?, )?";
const OPENED = new RegExp(String.raw`^(?:open|openat|creat)\(${AT}"([^"]+)"(.*)\) = \d+<`);
const MODE_SET = new RegExp(
  String.raw`^f?chmod(?:at)?\((?:${AT}"([^"]+)"|\d+<([^>]+)>), (0\d*)(?:, [^)]*)?\) = 0`,
);
const RENAMED = new RegExp(
  String.raw`^(rename|link)(?:at2?)?\(${AT}"([^"]+)", ${AT}"([^"]+)"(?:, [^)]*)?\) = 0`,
);
const WRITTEN = /^p?writev?(?:64)?\(\d+<(\/[^>]*)>, (.*)\) = \d+$/;

/** What is known of files at one point of a trace. */
interface Known {
  readonly all: TracedFile[];
  readonly byPath: Map<string, TracedFile>;
}

/** Reads a trace of `strace -f -y`. */
export function keyFilesIn(trace: string): readonly KeyFile[] {
  const known: Known = { all: [], byPath: new Map() };
  for (const call of wholeCalls(trace)) {
    for (const note of [noteOpening, noteMode, noteName, noteKey]) note(known, call);
  }
  return known.all.filter(({ holdsKey }) => holdsKey).map(({ path, modes }) => ({ path, modes }));
}

function add({ all, byPath }: Known, path: string, mode: number): TracedFile {
  const file = { path, modes: [mode], holdsKey: false };
  all.push(file);
  byPath.set(path, file);
  return file;
}

function noteOpening(known: Known, call: string): void {
  const [, path, rest = ""] = OPENED.exec(call) ?? [];
  if (path === undefined || !(rest.includes("O_CREAT") || call.startsWith("creat"))) return;
  const isNew = rest.includes("O_EXCL") || !known.byPath.has(path);
  if (isNew) add(known, path, Number.parseInt(/, (0\d*)$/.exec(rest)?.[1] ?? "777", 8));
}

function noteMode({ byPath }: Known, call: string): void {
  const [, byName, byDescriptor, mode = ""] = MODE_SET.exec(call) ?? [];
  byPath.get(byName ?? byDescriptor ?? "")?.modes.push(Number.parseInt(mode, 8));
}

function noteName({ byPath }: Known, call: string): void {
  const [, how, from, to] = RENAMED.exec(call) ?? [];
  if (from !== undefined && to !== undefined) move(byPath, from, to, how === "link");
}

function noteKey(known: Known, call: string): void {
  const [, path, bytes = ""] = WRITTEN.exec(call) ?? [];
  if (path === undefined || !/-----BEGIN [A-Z ]*PRIVATE KEY/.test(bytes)) return;
  const file = known.byPath.get(path) ?? add(known, path, UNKNOWN_MODE);
  file.holdsKey = true;
}

/** A folder takes what is in it along. */
function move(byPath: Map<string, TracedFile>, from: string, to: string, stays: boolean): void {
  for (const [path, file] of [...byPath]) {
    if (path !== from && !path.startsWith(`${from}/`)) continue;
    file.path = to + path.slice(from.length);
    byPath.set(file.path, file);
    if (!stays) byPath.delete(path);
  }
}

/** Calls that another's came in the middle of are put together again, and the spaces before each result are one. */
function wholeCalls(trace: string): readonly string[] {
  const begun = new Map<string, string>();
  return trace.split("\n").flatMap((line) => {
    const [, pid = "", text = ""] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const half = /^(.*) <unfinished \.\.\.>$/.exec(text)?.[1];
    if (half !== undefined) {
      begun.set(pid, half);
      return [];
    }
    const end = /^<\.\.\. \w+ resumed>(.*)$/.exec(text)?.[1];
    const call = end === undefined ? text : (begun.get(pid) ?? "") + end;
    return [call.replace(/\) +(= \S+)$/, ") $1")];
  });
}
