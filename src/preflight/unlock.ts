/** The private keys of a bundle, whatever form they come in, and what else is inside of what only a passphrase opens. */
import type { KeyObject } from "node:crypto";
import type { Contents, SourcedBlock } from "../core/material.ts";
import type { Profile } from "../core/policy.ts";
import type { Problem } from "../core/problem.ts";
import { createOpener, type Open } from "./locked/opener.ts";
import { isLocked, unlockKey } from "./locked-key.ts";
import type { Keyring } from "./locked-thing.ts";
import { unpackPkcs12 } from "./pkcs12.ts";
import { MAX_KEYS_READ, type PrivateKeyFacts, readPrivateKey } from "./private-key.ts";

/** How encrypted things are opened. */
export interface UnlockOptions {
  /** Holds the passphrase; null where none is configured. */
  readonly passphraseFile: string | null;
  /** `fips`: what is encrypted has to be so by PBES2 with AES and PBKDF2. What is not encrypted may be so. */
  readonly profile: Profile;
}

/** A bundle with nothing locked in it. */
export interface Unlocked {
  /** Certificates, trust anchors and CRLs: those of the bundle, and those out of a PKCS#12 file. */
  readonly blocks: readonly SourcedBlock[];
  /** Each key once, in however many spellings it came. */
  readonly keys: readonly PrivateKeyFacts[];
  readonly problems: readonly Problem[];
}

/** Unlocks a bundle. Never rejects but with the signal's reason. */
export type Unlock = (contents: Contents, options: UnlockOptions, signal: AbortSignal) => Promise<Unlocked>;

/** Makes an `unlock` that has locked things opened by `open`. */
export function createUnlock(open: Open): Unlock {
  return async ({ blocks }, options, signal) => {
    signal.throwIfAborted();
    const keyring: Keyring = { ...options, open };
    const found: (PrivateKeyFacts | Problem)[] = [];
    const inner: SourcedBlock[] = [];
    const keyBlocks = distinct(blocks.filter(({ role }) => role === "private-key"));
    for (const block of keyBlocks.slice(0, MAX_KEYS_READ)) {
      found.push(isLocked(block) ? await unlockKey(block, keyring, signal) : readPrivateKey(block));
    }
    for (const container of blocks.filter(({ role }) => role === "pkcs12")) {
      const unpacked = await unpackPkcs12(container, keyring, signal);
      found.push(...unpacked.keys, ...unpacked.problems);
      inner.push(...unpacked.blocks);
    }
    const keys = distinctKeys(found.filter(isKey));
    const problems = found.filter(isProblem);
    if (keyBlocks.length > MAX_KEYS_READ) problems.push(tooManyKeys(keyBlocks));
    else if (keys.length > 1) problems.push(tooManyKeys(keys));
    const plain = blocks.filter(({ role }) => role !== "pkcs12" && role !== "private-key");
    return { blocks: [...plain, ...inner], keys, problems };
  };
}

/** Unlocks a bundle. Processes that open things are few at a time in all of keyturn: hence one for all who call it. */
export const unlock: Unlock = createUnlock(createOpener());

function distinct(blocks: readonly SourcedBlock[]): SourcedBlock[] {
  const byContent = new Map(blocks.map((block) => [Buffer.from(block.der).toString("latin1"), block]));
  return [...byContent.values()];
}

/** Each key once, in whatever form it came. */
function distinctKeys(keys: readonly PrivateKeyFacts[]): PrivateKeyFacts[] {
  return keys.filter(({ key }, at) => !keys.slice(0, at).some((earlier) => isSameKey(earlier.key, key)));
}

/** Keys of two types are never compared by Node: that leaves an error behind, which the next key that is read fails with. */
function isSameKey(one: KeyObject, other: KeyObject): boolean {
  return one.asymmetricKeyType === other.asymmetricKeyType && one.equals(other);
}

function tooManyKeys(places: readonly { readonly where: string }[]): Problem {
  const [first, second] = places;
  const message = `there are ${places.length} private keys (${first?.where}; ${second?.where}…); put one`;
  return { code: "TOO_MANY_KEYS", message };
}

function isKey(found: PrivateKeyFacts | Problem): found is PrivateKeyFacts {
  return "pem" in found;
}

function isProblem(found: PrivateKeyFacts | Problem): found is Problem {
  return "code" in found;
}
