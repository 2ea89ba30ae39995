/** What a folder holds, as text that can be compared: every path with its kind, mode, owner and content. */
import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** A line for each thing in the folder, and for the folder itself. Links are not followed. */
export function pictureOf(folder: string): string[] {
  const paths = readdirSync(folder, { recursive: true }).map(String).sort();
  return ["", ...paths].map((path) => `${path || "."} ${describe(join(folder, path))}`);
}

function describe(path: string): string {
  const stats = lstatSync(path);
  const access = `${(stats.mode & 0o7777).toString(8)} ${stats.uid}:${stats.gid}`;
  if (stats.isSymbolicLink()) return `-> ${readlinkSync(path)}`;
  if (stats.isDirectory()) return `folder ${access}`;
  if (!stats.isFile()) return `special ${access}`;
  return `file ${access} ${stats.ino} ${createHash("sha256").update(readFileSync(path)).digest("hex")}`;
}
