/**
 * Puts a generation right in its place, from what an audit found:
 *
 *  1. give folders their mode and owner
 *  2. write files that are gone or changed under a temporary name beside the generations, fsync, rename them over what
 *     has their name, fsync their folder
 *  3. give files that hold what they should their mode and owner, through their descriptor
 *  4. write the manifest as it is known
 *  5. make links that are wrong anew, each by one rename; remove those that are too many; fsync the bundle's folder
 *
 * A link that was put where a file belongs is replaced, and never followed; of a hard one, the mode is never set. After
 * a crash between any two steps the next audit finds what is left.
 */
import { join } from "node:path";
import { KeyturnError } from "../core/errors.ts";
import { setAccess } from "./access.ts";
import type { Drift } from "./audit.ts";
import { clearAway, replaceFile, replaceLink, syncFolder, toStoreFailure } from "./durable.ts";
import { lookAt } from "./inspect.ts";
import { type BundleFolder, type FileName, MANIFEST, UNFINISHED } from "./layout.ts";
import { type Manifest, writeManifest } from "./manifest.ts";
import { accessOf, folderMode, type Permissions } from "./steps.ts";

const PUT_AGAIN = "nothing on this node holds it; put the bundle again, or wait until etcd has been read";

/** What a repair works with. */
export interface Repair {
  readonly at: BundleFolder;
  readonly manifest: Manifest;
  /** The bytes of files, as far as they are known. */
  readonly contents: ReadonlyMap<FileName, string>;
  readonly permissions: Permissions;
}

/** Puts right whatever can be, and says why the rest cannot. */
export async function putRight(repair: Repair, drifts: readonly Drift[]): Promise<readonly string[]> {
  const failures: string[] = [];
  for (const drift of drifts) {
    try {
      await putOneRight(repair, drift);
    } catch (thrown) {
      failures.push(toStoreFailure(`put ${drift.path} right`, thrown).message);
    }
  }
  return failures;
}

async function putOneRight({ at, manifest, contents, permissions }: Repair, drift: Drift): Promise<void> {
  const { path, message } = drift;
  const { owner } = permissions;
  const temporary = join(at.generations, `${UNFINISHED}repair`);
  switch (drift.what) {
    case "folder":
      throw new KeyturnError("STORE_FAILED", `${message}: ${PUT_AGAIN}`);
    case "folderAccess":
      return setAccess(path, { mode: folderMode(owner), owner }); // 1
    case "shared":
    case "content": {
      const content = contents.get(drift.file);
      if (content === undefined) throw new KeyturnError("STORE_FAILED", `${message}: ${PUT_AGAIN}`);
      makeWay(path);
      return replaceFile(path, content, accessOf(drift.file, permissions).mode, owner, temporary); // 2
    }
    case "access":
      return setAccess(path, accessOf(drift.file, permissions)); // 3
    case "manifest":
      makeWay(path);
      return replaceFile(
        path,
        writeManifest(manifest),
        accessOf(MANIFEST, permissions).mode,
        owner,
        temporary,
      ); // 4
    case "link":
      replaceLink(path, drift.target, join(at.folder, `${UNFINISHED}link`)); // 5
      return syncFolder(at.folder);
    case "extraLink":
      clearAway(path);
      return syncFolder(at.folder);
  }
}

/** A rename takes the place of whatever has the name, but of a folder. */
function makeWay(path: string): void {
  if (lookAt(path)?.isDirectory()) clearAway(path);
}
