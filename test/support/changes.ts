/** Every call of this process that changes the file system, seen before it is made. */
import fs from "node:fs";
import promises from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";

/** A call that is about to change something. */
export interface Change {
  readonly call: string;
  /** What it changes; of a rename, what is renamed. */
  readonly path: string;
  /** Of a rename, what it is called afterwards. */
  readonly to: string | null;
}

const BY_PATH = ["chmodSync", "mkdirSync", "renameSync", "rmdirSync", "unlinkSync"] as const;
const BY_DESCRIPTOR = ["fchmodSync", "fchownSync"] as const;
const REPLACED = [
  ...BY_PATH,
  ...BY_DESCRIPTOR,
  "openSync",
  "rmSync",
  "symlinkSync",
  "writeFileSync",
] as const;

type Call = (...args: unknown[]) => unknown;
type Calls = Record<string, Call | undefined>;

/**
 * Calls `before` ahead of each change, until the function that is returned is called. A `before` that throws stands in
 * for the change.
 *
 * What is not there is not removed, nor a folder made that is there. A file is written in two halves, each a change,
 * and `rm` is as many changes as it removes things.
 */
export function beforeEachChange(before: (change: Change) => void): () => void {
  const [table, promised] = [fs as unknown as Calls, promises as unknown as Calls];
  const real = new Map(REPLACED.map((name) => [name, table[name] as Call] as const));
  const realRm = promised.rm;
  const paths = new Map<unknown, string>();
  const call = (name: (typeof REPLACED)[number], ...args: unknown[]) => real.get(name)?.apply(fs, args);
  const tell = (name: string, path: unknown, to: unknown = null) =>
    before({ call: name, path: paths.get(path) ?? String(path), to: to === null ? null : String(to) });

  for (const name of BY_PATH) {
    table[name] = (...args) => {
      const isThere = fs.lstatSync(String(args[0]), { throwIfNoEntry: false }) !== undefined;
      if (isThere !== (name === "mkdirSync")) tell(name, args[0], name === "renameSync" ? args[1] : null);
      return call(name, ...args);
    };
  }
  for (const name of BY_DESCRIPTOR) {
    table[name] = (...args) => {
      tell(name, args[0]);
      return call(name, ...args);
    };
  }
  table.symlinkSync = (...args) => {
    tell("symlinkSync", args[1]);
    return call("symlinkSync", ...args);
  };
  table.openSync = (path, flags, ...rest) => {
    if (isChange(flags)) tell("openSync", path);
    const descriptor = call("openSync", path, flags, ...rest);
    paths.set(descriptor, String(path));
    return descriptor;
  };
  table.writeFileSync = (file, content, ...rest) => {
    tell("writeFileSync", file);
    if (typeof file !== "number") return call("writeFileSync", file, content, ...rest);
    const bytes = Buffer.from(content as string);
    const middle = Math.floor(bytes.length / 2);
    call("writeFileSync", file, bytes.subarray(0, middle));
    tell("writeFileSync", file);
    return call("writeFileSync", file, bytes.subarray(middle));
  };
  table.rmSync = (path) => removeAll(String(path));
  promised.rm = async (path) => removeAll(String(path));
  syncBuiltinESMExports();
  return () => {
    for (const [name, original] of real) table[name] = original;
    promised.rm = realRm;
    syncBuiltinESMExports();
  };
}

/** `rm` with `recursive` and `force`, one thing after another. */
function removeAll(path: string): void {
  const found = fs.lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isDirectory()) {
    fs.unlinkSync(path);
    return;
  }
  for (const name of fs.readdirSync(path)) removeAll(join(path, name));
  fs.rmdirSync(path);
}

function isChange(flags: unknown): boolean {
  return typeof flags === "number" && (flags & fs.constants.O_CREAT) !== 0;
}
