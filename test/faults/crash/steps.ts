/**
 * A disk that loses power: what is left of a folder after the first so many operations, with everything lost that no
 * fsync waited for, or any part of it.
 *
 * What is on the medium for sure: bytes and mode of a file, where an fsync of that file began after they were written;
 * a name that was made, moved or removed, where an fsync of its folder began after that. A rename is one change of
 * both folders, as in the journals of ext4 and XFS: it is there or not, and an fsync of either is enough.
 *
 * What may be lost, each for itself: the bytes of a write (nothing of them, the first half, zeroes of the same length:
 * delayed allocation, and blocks that were never written), the change of a mode, and a name. Both file systems keep
 * changes of names in the order in which they were made, up to where the journal ends; that is one way to lose them.
 * POSIX promises no order, and so any of them are lost in another way; but nothing is removed there before what was done
 * ahead of it, which is what removing old generations relies on.
 */
import { basename, dirname, relative, sep } from "node:path";
import type { Disk, Node } from "./disk.ts";
import type { FileOperation } from "./recording.ts";

/** A place of a name. */
interface Place {
  readonly folder: number;
  readonly name: string;
}

/** An operation by numbers instead of paths: a path leads elsewhere once names were lost. */
export type Step =
  | {
      readonly what: "name";
      readonly node: number;
      readonly from?: Place;
      readonly to?: Place;
      readonly made?: Node;
    }
  | { readonly what: "bytes"; readonly node: number; readonly bytes: Buffer }
  | { readonly what: "mode"; readonly node: number; readonly mode: number }
  | { readonly what: "sync"; readonly node: number; readonly begun: number };

/** What becomes of a step that no fsync waited for. Of bytes something may be there, or something else. */
type Fate = "kept" | "lost" | "half" | "zeroes";
export type Choose = (step: Step, index: number) => Fate;

/** The operations by number, as they were done on this disk. */
export function stepsOf(disk: Disk, folder: string, operations: readonly FileOperation[]): readonly Step[] {
  let now = disk;
  let next = disk.size;
  return operations.map((operation) => {
    const step = stepOf(now, folder, operation, () => next++);
    now = apply(now, step, "kept");
    return step;
  });
}

/** What is left after `count` steps. */
export function diskAfter(disk: Disk, steps: readonly Step[], count: number, choose: Choose): Disk {
  const done = steps.slice(0, count);
  return done.reduce((now, step, index) => {
    const isSafe = done.some(
      (sync) => sync.what === "sync" && index < sync.begun && waitsFor(sync.node, step),
    );
    return apply(now, step, isSafe ? "kept" : choose(step, index));
  }, disk);
}

/** Whether an fsync of this node waits for the step. */
function waitsFor(node: number, step: Step): boolean {
  return step.what === "name"
    ? step.from?.folder === node || step.to?.folder === node
    : step.what !== "sync" && step.node === node;
}

function stepOf(disk: Disk, root: string, operation: FileOperation, newNumber: () => number): Step {
  const placeOf = (path: string): Place => ({
    folder: find(disk, root, dirname(path)),
    name: basename(path),
  });
  const { path } = operation;
  switch (operation.what) {
    case "create":
      return {
        what: "name",
        node: newNumber(),
        to: placeOf(path),
        made: { kind: "file", bytes: Buffer.alloc(0), mode: operation.mode },
      };
    case "mkdir":
      return {
        what: "name",
        node: newNumber(),
        to: placeOf(path),
        made: { kind: "folder", entries: new Map(), mode: operation.mode },
      };
    case "symlink":
      return {
        what: "name",
        node: newNumber(),
        to: placeOf(path),
        made: { kind: "link", target: operation.target },
      };
    case "rename":
      return { what: "name", node: find(disk, root, path), from: placeOf(path), to: placeOf(operation.to) };
    case "unlink":
    case "rmdir":
      return { what: "name", node: find(disk, root, path), from: placeOf(path) };
    case "write":
      return { what: "bytes", node: find(disk, root, path), bytes: operation.bytes };
    case "chmod":
      return { what: "mode", node: find(disk, root, path), mode: operation.mode };
    case "sync":
      return { what: "sync", node: find(disk, root, path), begun: operation.begun };
  }
}

/** The number of a path, through real folders only. */
function find(disk: Disk, root: string, path: string): number {
  const names = relative(root, path).split(sep).filter(Boolean);
  return names.reduce((number, name) => {
    const node = disk.get(number);
    const inside = node?.kind === "folder" ? node.entries.get(name) : undefined;
    if (inside === undefined) throw new Error(`${path} is not on this disk`);
    return inside;
  }, 0);
}

function apply(disk: Disk, step: Step, fate: Fate): Disk {
  const changed = new Map(disk);
  // It is there without its name too: a later rename of it may be all that is kept.
  if (step.what === "name" && step.made !== undefined) changed.set(step.node, step.made);
  if (step.what === "sync" || fate === "lost") return changed;
  const node = changed.get(step.node);
  switch (step.what) {
    case "name":
      if (step.from !== undefined) removeName(changed, step.from, step.node);
      if (step.to !== undefined) setName(changed, step.to, step.node);
      break;
    case "bytes":
      if (node?.kind === "file")
        changed.set(step.node, { ...node, bytes: Buffer.concat([node.bytes, partOf(step.bytes, fate)]) });
      break;
    case "mode":
      if (node !== undefined && node.kind !== "link") changed.set(step.node, { ...node, mode: step.mode });
  }
  return changed;
}

function partOf(bytes: Buffer, fate: Fate): Buffer {
  if (fate === "zeroes") return Buffer.alloc(bytes.length);
  return fate === "half" ? bytes.subarray(0, bytes.length / 2) : bytes;
}

function setName(disk: Map<number, Node>, { folder, name }: Place, number: number): void {
  const node = disk.get(folder);
  if (node?.kind === "folder")
    disk.set(folder, { ...node, entries: new Map(node.entries).set(name, number) });
}

/** Unless the name is that of something else by now. */
function removeName(disk: Map<number, Node>, { folder, name }: Place, number: number): void {
  const node = disk.get(folder);
  if (node?.kind !== "folder" || node.entries.get(name) !== number) return;
  const entries = new Map(node.entries);
  entries.delete(name);
  disk.set(folder, { ...node, entries });
}
