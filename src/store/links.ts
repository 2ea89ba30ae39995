/** The links beside `current` that give services paths which never change. */
import { readdirSync, readlinkSync, rmSync } from "node:fs";
import { join } from "node:path";
import { systemCodeOf } from "../core/errors.ts";
import { replaceLink } from "./durable.ts";
import { type BundleFolder, CURRENT, FILE_NAMES, UNFINISHED } from "./layout.ts";

/**
 * Makes a link for each file the current generation has, and removes those to files it has not.
 *
 * @param check Whether links that are there are read too, and put right.
 * @returns whether anything had to be changed; the caller then fsyncs the folder.
 */
export function linkFiles({ folder }: BundleFolder, has: ReadonlySet<string>, check: boolean): boolean {
  const present = new Set(readdirSync(folder));
  let changed = false;
  for (const name of FILE_NAMES) {
    const path = join(folder, name);
    const target = join(CURRENT, name);
    if (!has.has(name)) {
      if (!present.has(name)) continue;
      rmSync(path);
    } else {
      if (present.has(name) && (!check || pointsAt(path, target))) continue;
      replaceLink(path, target, join(folder, UNFINISHED + name));
    }
    changed = true;
  }
  return changed;
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
