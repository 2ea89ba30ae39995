/** Everything about a folder that a write would change. */
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

/** Path, inode, modification and change time of every file, link and folder below `folder`. */
export async function fingerprintTree(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  const lines = [".", ...names].sort().map(async (name) => {
    const { ino, mtimeMs, ctimeMs, mode } = await lstat(join(folder, name));
    return `${name} ${ino} ${mtimeMs} ${ctimeMs} ${mode}`;
  });
  return Promise.all(lines);
}
