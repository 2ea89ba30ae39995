/** Who may read a file or a folder: its mode and owner, compared and set by descriptor. */
import {
  type BigIntStats,
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  openSync,
  type Stats,
} from "node:fs";
import { KeyturnError, systemCodeOf } from "../core/errors.ts";
import { flush, type Owner, setOwner } from "./durable.ts";
import { type Finding, isShared } from "./inspect.ts";

/** The mode and owner that something has to have. */
export interface Access {
  readonly mode: number;
  readonly owner: Owner;
}

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
/** Of Linux, the same on every processor that Node is built for; Node has no name for it. */
const O_PATH = 0o10_000_000;
const MODE_BITS = 0o7777;
const OWNER_READ = 0o400;
const GROUP_READ = 0o040;
const OTHERS_READ = 0o004;

/**
 * What of mode and owner is not as it has to be.
 *
 * @param isPrivate Whether it holds a private key.
 */
export function findAccess(
  path: string,
  found: Pick<BigIntStats | Stats, "mode" | "uid" | "gid">,
  { mode, owner }: Access,
  isPrivate: boolean,
): Finding[] {
  const findings: Finding[] = [];
  const bits = Number(found.mode) & MODE_BITS;
  if (bits !== mode) {
    const exposure = isPrivate ? exposureOf(bits & ~mode) : "";
    const message = `${path} has mode ${octal(bits)} instead of ${octal(mode)}${exposure}`;
    findings.push({ message, misleads: (mode & ~bits) !== 0 });
  }
  const [uid, gid] = [Number(found.uid), Number(found.gid)];
  const should: Owner = { uid: owner.uid ?? uid, gid: owner.gid ?? gid };
  if (should.uid !== uid || should.gid !== gid) {
    const message = `${path} belongs to ${uid}:${gid} instead of ${should.uid}:${should.gid}`;
    findings.push({ message, misleads: true });
  }
  return findings;
}

/**
 * Sets mode and owner of what has the name, and of nothing that it leads to; durably.
 *
 * @throws KeyturnError STORE_UNSAFE for a link, also a hard one: the file is somebody else's too.
 */
export async function setAccess(path: string, { mode, owner }: Access): Promise<void> {
  const file = openOwn(path);
  try {
    refuseShared(path, fstatSync(file));
    setOwner(file, owner);
    fchmodSync(file, mode);
    await flush(file);
  } finally {
    closeSync(file);
  }
}

function openOwn(path: string): number {
  const open = () => openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    return open();
  } catch (thrown) {
    if (systemCodeOf(thrown) !== "EACCES") throw thrown;
    makeReadable(path);
    return open();
  }
}

/**
 * A mode that keeps even the owner from opening a file keeps fchmod(2) from it too. A descriptor that only names the
 * file (O_PATH) needs no permission, and leads back to that very file through /proc.
 */
function makeReadable(path: string): void {
  const named = openSync(path, O_PATH | O_NOFOLLOW);
  try {
    const stats = fstatSync(named);
    if (stats.isSymbolicLink())
      throw new KeyturnError("STORE_UNSAFE", `${path} is a symbolic link: remove it`);
    refuseShared(path, stats);
    chmodSync(`/proc/self/fd/${named}`, (stats.mode & MODE_BITS) | OWNER_READ);
  } finally {
    closeSync(named);
  }
}

function refuseShared(path: string, stats: Stats): void {
  if (isShared(stats))
    throw new KeyturnError("STORE_UNSAFE", `${path} has a second name elsewhere (a hard link): remove it`);
}

function exposureOf(added: number): string {
  const readers =
    (added & OTHERS_READ) !== 0 ? "others" : (added & GROUP_READ) !== 0 ? "its group" : undefined;
  if (readers === undefined) return "";
  return `: it was readable by ${readers}: consider the key exposed, and replace it`;
}

function octal(bits: number): string {
  return bits.toString(8).padStart(4, "0");
}
