/** Folders of other users in the output folder: keyturn neither writes into them nor believes what they hold. */
import { dirname } from "node:path";
import { KeyturnError } from "../core/errors.ts";
import type { Owner } from "./durable.ts";
import { lookAt } from "./inspect.ts";
import type { BundleFolder } from "./layout.ts";

/**
 * The user a folder belongs to, where that is nobody who may have it: somebody who could put anything in the place of
 * what is written there. Whoever has the output folder could anyway, as root can, and the owner that was configured is
 * meant to.
 */
export function strangerOf(path: string, at: BundleFolder, owner: Owner): number | undefined {
  const [found, trusted] = [lookAt(path), lookAt(dirname(at.folder))];
  if (found === undefined) return undefined;
  const uid = Number(found.uid);
  return [0, ownUid(), owner.uid, Number(trusted?.uid)].includes(uid) ? undefined : uid;
}

/** @throws KeyturnError STORE_UNSAFE where it is a folder of somebody else. */
export function refuseStranger(path: string, at: BundleFolder, owner: Owner): void {
  const uid = strangerOf(path, at, owner);
  if (uid === undefined) return;
  const risk = `${path} belongs to user ${uid}, who could change what keyturn writes there`;
  throw new KeyturnError("STORE_UNSAFE", `${risk}: remove it, or give it to user ${owner.uid ?? ownUid()}`);
}

function ownUid(): number {
  return process.geteuid?.() ?? 0;
}
