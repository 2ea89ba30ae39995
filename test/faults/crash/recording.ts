/** From strace's log to the operations on a folder, in the order in which they came to their end. */
import { sep } from "node:path";

/** One system call that did something. */
export type FileOperation =
  | { readonly what: "create" | "mkdir"; readonly path: string; readonly mode: number }
  | { readonly what: "symlink"; readonly path: string; readonly target: string }
  | { readonly what: "rename"; readonly path: string; readonly to: string }
  | { readonly what: "unlink" | "rmdir"; readonly path: string }
  | { readonly what: "write"; readonly path: string; readonly bytes: Buffer }
  | { readonly what: "chmod"; readonly path: string; readonly mode: number }
  /** `begun`: operations that were done when it began; only those it waits for. */
  | { readonly what: "sync"; readonly path: string; readonly begun: number };

const LINE = /^(\d+) +(.*)$/;
const CALL = /^(\w+)\((.*)\) += (-?\d+)/s;
const RESUMED = /^<\.\.\. \w+ resumed>(.*)$/s;
const UNFINISHED = " <unfinished ...>";
/** `"…"` as strace escapes it, or a descriptor with the path it has now: `17</tmp/a>`. */
const TEXTS = /"((?:[^"\\]|\\.)*)"|\d+<([^>]*)>/g;

/**
 * @param folder Only what is done below it.
 * @throws Error for a call that changes something below it in a way that is not known here.
 */
export function readRecording(log: string, folder: string): FileOperation[] {
  const operations: FileOperation[] = [];
  for (const { text, begun } of readCalls(log, () => operations.length)) {
    const [, call = "", words = "", result = "-1"] = CALL.exec(text) ?? [];
    if (Number(result) < 0) continue;
    const texts = textsOf(call, words);
    // A link is named by its second path, everything else by its first.
    const path = call.startsWith("symlink") ? texts[1] : texts[0];
    if (!path?.startsWith(folder + sep)) continue;
    const operation = operationOf(call, words, texts, begun);
    if (operation !== null) operations.push(operation);
  }
  return operations;
}

/** Calls in the order of their ends; a call that another thread's came into is put together again. */
function* readCalls(log: string, now: () => number) {
  const pending = new Map<string, { readonly text: string; readonly begun: number }>();
  for (const line of log.split("\n")) {
    const [, thread = "", text = ""] = LINE.exec(line) ?? [];
    const rest = RESUMED.exec(text)?.[1];
    const begin = pending.get(thread);
    if (text.endsWith(UNFINISHED)) {
      pending.set(thread, { text: text.slice(0, -UNFINISHED.length), begun: now() });
    } else if (rest !== undefined && begin !== undefined) {
      yield { text: begin.text + rest, begun: begin.begun };
    } else {
      yield { text, begun: now() };
    }
  }
}

/** The texts of a call; not the folders that calls which end in "at" would start from, for all paths are absolute. */
function textsOf(call: string, words: string): readonly string[] {
  const found = [...words.matchAll(TEXTS)].filter(([all]) => !/^\d/.test(all) || !/at2?$/.test(call));
  return found.map(([, text, path]) => path ?? unescapeText(text ?? ""));
}

function operationOf(
  call: string,
  words: string,
  [path = "", second = ""]: readonly string[],
  begun: number,
): FileOperation | null {
  const mode = Number.parseInt(/, 0([0-7]+)$/.exec(words)?.[1] ?? "0", 8);
  switch (call) {
    case "open":
    case "openat":
      return words.includes("O_CREAT") ? { what: "create", path, mode } : null;
    case "mkdir":
    case "mkdirat":
      return { what: "mkdir", path, mode };
    case "symlink":
    case "symlinkat":
      return { what: "symlink", target: path, path: second };
    case "rename":
    case "renameat":
    case "renameat2":
      return { what: "rename", path, to: second };
    case "unlink":
    case "rmdir":
      return { what: call, path };
    case "unlinkat":
      return { what: words.includes("AT_REMOVEDIR") ? "rmdir" : "unlink", path };
    case "write":
      return { what: "write", path, bytes: Buffer.from(second) };
    case "chmod":
    case "fchmod":
    case "fchmodat":
      return { what: "chmod", path, mode };
    case "fsync":
    case "fdatasync":
      return { what: "sync", path, begun };
    case "chown":
    case "fchown":
    case "fchownat":
      // Owners are not modelled.
      return null;
    default:
      throw new Error(`${call} is not known to the model of a disk: ${words}`);
  }
}

/** C's escapes. PEM and JSON are ASCII, so that a character is a byte. */
function unescapeText(text: string): string {
  const known: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r" };
  return text.replace(/\\([0-7]{1,3}|.)/gs, (_, code: string) =>
    /^[0-7]/.test(code) ? String.fromCharCode(Number.parseInt(code, 8)) : (known[code] ?? code),
  );
}
