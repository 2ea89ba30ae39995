/** What encrypted private keys and PKCS#12 files have in common: what opening them takes, and why it fails. */
import type { Profile } from "../core/policy.ts";
import type { Problem, ProblemCode } from "../core/problem.ts";
import type { Answer, Open } from "./locked/opener.ts";
import type { Scheme } from "./locked/scheme.ts";

/** What opening takes. */
export interface Keyring {
  readonly open: Open;
  readonly passphraseFile: string | null;
  readonly profile: Profile;
}

/** Something that only a passphrase opens. */
export interface LockedThing {
  /** Completes "this …" in messages. */
  readonly what: string;
  readonly where: string;
  readonly unreadable: ProblemCode;
  /** A command by which a person gets it into a form that can be read. */
  readonly convert: string;
}

type NotOpened = Exclude<Answer, { readonly kind: "opened" }>;

/** There is no passphrase for it; `why` as `readPassphrase` says it. */
export function noPassphrase({ what, where }: LockedThing, why: string): Problem {
  return { code: "KEY_ENCRYPTED", message: `${where}: this ${what} is encrypted, and ${why}` };
}

/** It was not opened. */
export function notOpened(thing: LockedThing, answer: NotOpened, passphraseFile: string | null): Problem {
  const { what, where, unreadable, convert } = thing;
  const begin = `${where}: this ${what}`;
  switch (answer.kind) {
    case "wrongPassphrase": {
      const message = `${begin} is not opened by the passphrase in ${passphraseFile}; put the right one there, or the ${what} again if it may be damaged`;
      return { code: "PASSPHRASE_WRONG", message };
    }
    case "unsupported": {
      const message = `${begin} is encrypted in a way that OpenSSL does not know, also with its legacy provider; convert it (${convert})`;
      return { code: unreadable, message };
    }
    case "unreadable":
      return {
        code: unreadable,
        message: `${begin} cannot be read: ${answer.why}; make it anew (${convert})`,
      };
    case "crashed": {
      const message = `${begin} cannot be read: the process that opens it ${answer.how}; convert it (${convert})`;
      return { code: unreadable, message };
    }
  }
}

/** The profile does not allow its encryption; undefined where it does. */
export function profileViolation(
  { what, where, convert }: LockedThing,
  schemes: readonly Scheme[],
  profile: Profile,
): Problem | undefined {
  const refused = profile === "fips" ? schemes.find(({ isApproved }) => !isApproved) : undefined;
  if (refused === undefined) return undefined;
  const message = `${where}: this ${what} is encrypted by ${refused.name}; the profile fips allows PBES2 with AES and PBKDF2 (${convert})`;
  return { code: "PROFILE_VIOLATED", message };
}
