/** A folder in memory, as a disk has it: things by their number, and names that lead to numbers. */
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

/** Something on the disk, by its number. */
export type Node =
  | { readonly kind: "file"; readonly bytes: Buffer; readonly mode: number }
  | { readonly kind: "link"; readonly target: string }
  | { readonly kind: "folder"; readonly entries: ReadonlyMap<string, number>; readonly mode: number };

/** Everything below a folder, whose own number is 0. */
export type Disk = ReadonlyMap<number, Node>;

/** Reads a folder as it is. */
export function readDisk(folder: string): Disk {
  const disk = new Map<number, Node>();
  const read = (path: string): number => {
    const number = disk.size;
    const mode = statSync(path).mode & 0o7777;
    const entries = new Map<string, number>();
    disk.set(number, { kind: "folder", entries, mode });
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      const inside = join(path, entry.name);
      if (entry.isDirectory()) entries.set(entry.name, read(inside));
      else {
        entries.set(entry.name, disk.size);
        disk.set(
          disk.size,
          entry.isSymbolicLink()
            ? { kind: "link", target: readlinkSync(inside) }
            : { kind: "file", bytes: readFileSync(inside), mode: statSync(inside).mode & 0o7777 },
        );
      }
    }
    return number;
  };
  read(folder);
  return disk;
}

/** Writes a disk into a folder that is empty or not there. */
export function writeDisk(disk: Disk, folder: string, number = 0): void {
  const node = disk.get(number);
  if (node?.kind === "file") writeFileSync(folder, node.bytes, { mode: node.mode });
  else if (node?.kind === "link") symlinkSync(node.target, folder);
  else if (node?.kind === "folder") {
    mkdirSync(folder, { recursive: true, mode: node.mode });
    for (const [name, inside] of node.entries) writeDisk(disk, join(folder, name), inside);
  }
}

/** What two disks have in common where they are the same, whatever the numbers. */
export function textOf(disk: Disk, number = 0): string {
  const node = disk.get(number);
  if (node?.kind !== "folder") return JSON.stringify(node ?? null);
  const names = [...node.entries].sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${node.mode} ${names.map(([name, inside]) => `${name}: ${textOf(disk, inside)}`).join()}}`;
}
