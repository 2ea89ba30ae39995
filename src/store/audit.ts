/** Compares a generation with its manifest, and changes nothing. Files that were hashed as they are are not read. */
import { type BigIntStats, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { findAccess } from "./access.ts";
import type { HashedFiles } from "./hashed-files.ts";
import {
  type FileFacts,
  type Finding,
  isShared,
  kindOf,
  lookAt,
  readRegular,
  readWhole,
  sha256Of,
} from "./inspect.ts";
import { type BundleFolder, CURRENT, FILE_NAMES, type FileName, isPrivate, MANIFEST } from "./layout.ts";
import {
  listFiles,
  MAX_MANIFEST_BYTES,
  type Manifest,
  namesOf,
  parseManifest,
  writeManifest,
} from "./manifest.ts";
import { accessOf, currentTarget, folderMode, type Permissions } from "./steps.ts";

/** A finding, with what has to be put right. */
export type Drift = Finding & { readonly path: string } & (
    | { readonly what: "folder" | "folderAccess" | "manifest" | "extraLink" }
    /** Shared: it has its bytes, and a hard link to it. */
    | { readonly what: "content" | "shared"; readonly file: FileName }
    | { readonly what: "access"; readonly file: FileName | typeof MANIFEST }
    | { readonly what: "link"; readonly target: string }
  );

/** What it takes to look into a folder. */
const OWNER_LOOKS = 0o500;
const OWNER_READ = 0o400n;

/** Everything that is not as the manifest says. What is inside of a folder that is none is not looked at. */
export function findDrift(
  at: BundleFolder,
  manifest: Manifest,
  permissions: Permissions,
  hashed: HashedFiles,
): readonly Drift[] {
  const folders = findFolderDrift(at, manifest, permissions);
  if (folders.isClosed) return folders.drifts;
  return [
    ...folders.drifts,
    ...findFileDrift(at, manifest, permissions, hashed),
    ...findManifestDrift(at, manifest, permissions, hashed),
    ...findLinkDrift(at, manifest),
  ];
}

/** What of a generation's folder and files is not as the manifest says; links and the manifest itself do not count. */
export function findContentDrift(
  at: BundleFolder,
  manifest: Manifest,
  permissions: Permissions,
  hashed: HashedFiles,
): readonly Drift[] {
  const folders = findFolderDrift(at, manifest, permissions);
  return folders.isClosed
    ? folders.drifts
    : [...folders.drifts, ...findFileDrift(at, manifest, permissions, hashed)];
}

/** Whether every file of a generation is there and has the bytes its manifest tells of. */
export function isWhole(at: BundleFolder, manifest: Manifest): boolean {
  const folder = at.generation(manifest.generation.id);
  const isFolder = lookAt(folder)?.isDirectory() ?? false;
  return (
    isFolder &&
    listFiles(manifest).every(([file, facts]) => readWhole(join(folder, file), facts) !== undefined)
  );
}

function findFolderDrift(
  at: BundleFolder,
  { generation }: Manifest,
  { owner }: Permissions,
): { readonly drifts: readonly Drift[]; readonly isClosed: boolean } {
  const wanted = { mode: folderMode(owner), owner };
  const drifts: Drift[] = [];
  for (const path of [at.folder, at.generations, at.generation(generation.id)]) {
    const stats = lookAt(path);
    if (!stats?.isDirectory()) {
      const message = stats === undefined ? `${path} is gone` : `${path} is ${kindOf(stats)}, not a folder`;
      return { drifts: [...drifts, { what: "folder", path, message, misleads: true }], isClosed: true };
    }
    const { uid, gid } = stats;
    // Without the bits beyond 0777: a folder that was made in one that hands on its group has more of them.
    const mode = Number(stats.mode) & 0o777;
    const found = findAccess(path, { mode, uid, gid }, wanted, false);
    drifts.push(...found.map((finding) => ({ ...finding, what: "folderAccess" as const, path })));
    if ((mode & OWNER_LOOKS) !== OWNER_LOOKS) return { drifts, isClosed: true };
  }
  return { drifts, isClosed: false };
}

function findFileDrift(
  at: BundleFolder,
  manifest: Manifest,
  permissions: Permissions,
  hashed: HashedFiles,
): readonly Drift[] {
  const folder = at.generation(manifest.generation.id);
  return listFiles(manifest).flatMap(([file, facts]): Drift[] => {
    const path = join(folder, file);
    const stats = lookAt(path);
    const content = (message: string): Drift => ({ what: "content", path, file, message, misleads: true });
    if (stats === undefined) return [content(`${path} is gone`)];
    if (!stats.isFile()) return [content(`${path} is ${kindOf(stats)}, not a file of its own`)];
    const findings = findAccess(path, stats, accessOf(file, permissions), isPrivate(file));
    const fault = faultOf(path, stats, facts, hashed);
    // Mode and owner are those of another name, too: the file is replaced, and they are left alone.
    if (isShared(stats)) {
      const message = [sharingOf(path), ...findings.map(({ message }) => message)].join("; ");
      return [
        fault === undefined ? { what: "shared", path, file, message, misleads: false } : content(fault),
      ];
    }
    const access = findings.map((finding): Drift => ({ ...finding, what: "access", path, file }));
    // Where its mode is why it cannot be read, that is the fault; what it holds is seen when that is put right.
    const isShut = fault !== undefined && access.length > 0 && (stats.mode & OWNER_READ) === 0n;
    return fault === undefined || isShut ? access : [content(fault), ...access];
  });
}

function sharingOf(path: string): string {
  return `${path} has a second name elsewhere (a hard link)`;
}

function faultOf(
  path: string,
  stats: BigIntStats,
  facts: FileFacts,
  hashed: HashedFiles,
): string | undefined {
  const { bytes, sha256 } = facts;
  if (stats.size !== BigInt(bytes)) return `${path} has ${stats.size} bytes instead of ${bytes}`;
  if (hashed.has(path, stats, sha256)) return undefined;
  if (readWhole(path, facts) === undefined) return `${path} is not what was written: its SHA-256 is another`;
  hashed.add(path, stats, sha256);
  return undefined;
}

function findManifestDrift(
  at: BundleFolder,
  manifest: Manifest,
  permissions: Permissions,
  hashed: HashedFiles,
): readonly Drift[] {
  const path = join(at.generation(manifest.generation.id), MANIFEST);
  const drift = (message: string): Drift => ({ what: "manifest", path, message, misleads: false });
  const stats = lookAt(path);
  if (stats === undefined) return [drift(`${path} is gone`)];
  if (!stats.isFile()) return [drift(`${path} is ${kindOf(stats)}, not a file of its own`)];
  if (isShared(stats)) return [drift(sharingOf(path))];
  const access = findAccess(path, stats, accessOf(MANIFEST, permissions), false).map(
    (finding): Drift => ({ ...finding, misleads: false, what: "access", path, file: MANIFEST }),
  );
  const known = writeManifest(manifest);
  const sha256 = sha256Of(known);
  if (!hashed.has(path, stats, sha256)) {
    if (!saysTheSame(path, stats, known)) return [drift(`${path} is not what was written`), ...access];
    hashed.add(path, stats, sha256);
  }
  return access;
}

function findLinkDrift(at: BundleFolder, manifest: Manifest): readonly Drift[] {
  const has = namesOf(manifest);
  const present = new Set(readdirSync(at.folder));
  const links = [...has].map((name) => ({ path: join(at.folder, name), target: join(CURRENT, name) }));
  const current = { path: at.current, target: currentTarget(manifest.generation.id) };
  const wrong = [...links, current].flatMap(({ path, target }): Drift[] => {
    const fault = linkFault(path, target);
    return fault === undefined ? [] : [{ what: "link", path, target, message: fault, misleads: true }];
  });
  const extra = FILE_NAMES.filter((name) => present.has(name) && !has.has(name)).map((name): Drift => {
    const path = join(at.folder, name);
    const message = `${path} is there, and the current generation has no such file`;
    return { what: "extraLink", path, message, misleads: true };
  });
  return [...wrong, ...extra];
}

function linkFault(path: string, target: string): string | undefined {
  const stats = lookAt(path);
  if (stats === undefined) return `${path} is gone`;
  if (!stats.isSymbolicLink()) return `${path} is ${kindOf(stats)}, not a link to ${target}`;
  const found = readlinkSync(path);
  return found === target ? undefined : `${path} leads to ${found} instead of ${target}`;
}

/** One of an earlier version may be written otherwise. */
function saysTheSame(path: string, { size }: BigIntStats, known: string): boolean {
  if (size > MAX_MANIFEST_BYTES) return false;
  const text = readRegular(path, Number(size))?.content.toString("utf8") ?? "";
  if (text === known) return true;
  const found = parseManifest(text);
  return found !== undefined && writeManifest(found) === known;
}
