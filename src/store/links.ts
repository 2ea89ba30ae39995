/** The links beside `current` that give services paths which never change. */
import { readdirSync, readlinkSync, rmSync } from "node:fs";
import { join } from "node:path";
import { systemCodeOf } from "../core/errors.ts";
import { replaceLink } from "./durable.ts";
import { type BundleFolder, CURRENT, FILE_NAMES, UNFINISHED } from "./layout.ts";

/**
 * Makes a link for each file of a generation.
 *
 * @param check Whether links that are there are read too, and put right.
 * @returns whether anything had to be changed; the caller then fsyncs the folder.
 */
export function addLinks({ folder }: BundleFolder, has: ReadonlySet<string>, check: boolean): boolean {
  const present = new Set(readdirSync(folder));
  const wanted = FILE_NAMES.filter((name) => has.has(name));
  const missing = wanted.filter((name) => {
    return !present.has(name) || (check && !pointsAt(join(folder, name), join(CURRENT, name)));
  });
  for (const name of missing) {
    replaceLink(join(folder, name), join(CURRENT, name), join(folder, UNFINISHED + name));
  }
  return missing.length > 0;
}

/** Removes the links to files that the current generation has not; says whether there were any. */
export function removeLinks({ folder }: BundleFolder, has: ReadonlySet<string>): boolean {
  const present = new Set(readdirSync(folder));
  const tooMany = FILE_NAMES.filter((name) => present.has(name) && !has.has(name));
  for (const name of tooMany) rmSync(join(folder, name));
  return tooMany.length > 0;
}

function pointsAt(path: string, target: string): boolean {
  try {
    return readlinkSync(path) === target;
  } catch (thrown) {
    // EINVAL: something that is no link has the name, and is replaced.
    if (systemCodeOf(thrown) === "EINVAL") return false;
    throw thrown;
  }
}
