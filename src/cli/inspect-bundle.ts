/** One bundle taken apart and checked, by the same code that the daemon does it with. */
import { createChecks, policiesOf } from "../checks.ts";
import type { Config } from "../config/schema.ts";
import type { Candidate } from "../core/handshake.ts";
import type { Contents, ContentsResult } from "../core/material.ts";
import { type MetaResult, readMeta } from "../core/meta.ts";
import type { BundleName } from "../core/names.ts";
import type { Problem } from "../core/problem.ts";
import type { Entry } from "../core/snapshot.ts";
import { startHandshakes } from "../handshake/supervisor.ts";
import { readCertificate } from "../preflight/certificate.ts";
import { type BundleFacts, draftBundle } from "../preflight/draft.ts";
import { type Unlocked, unlock } from "../preflight/unlock.ts";
import { systemClock } from "../runtime/clock.ts";

/** What there is of a bundle. */
export interface Subject {
  readonly name: BundleName;
  readonly read: ContentsResult;
  /** `meta.json`. */
  readonly meta: Entry | undefined;
}

/** A bundle taken apart: each piece that could be read, also where others could not. */
export interface Pieces {
  readonly facts: BundleFacts;
  readonly unlocked: Unlocked;
}

/** What came of it. */
export interface Inspection {
  readonly name: BundleName;
  readonly now: Date;
  /** Null where what is given cannot be told apart into blocks. */
  readonly contents: Contents | null;
  readonly pieces: Pieces | null;
  /** Null where there is no `meta.json`. */
  readonly meta: MetaResult | null;
  /** What OpenSSL said of it in a handshake; null where there was none. */
  readonly proof: readonly Problem[] | null;
  readonly problems: readonly Problem[];
}

/** Opens every bundle by this file, whatever the rules of the configuration say. */
export function withPassphrase(checks: Config["checks"], passphraseFile: string): Config["checks"] {
  return { ...checks, rules: [...checks.rules, { bundles: ["*"], passphraseFile }] };
}

/** What the command line can do about problems, besides what they say. */
export function hintsOn(problems: readonly Problem[], passphraseFile: string | undefined): string[] {
  const isEncrypted = problems.some(({ code }) => code === "KEY_ENCRYPTED");
  return isEncrypted && passphraseFile === undefined
    ? ["  (for this command alone: --passphrase-file FILE)"]
    : [];
}

/** Takes a bundle apart. */
export async function takeApart(
  contents: Contents,
  checks: Config["checks"],
  now: Date,
  signal: AbortSignal,
): Promise<Pieces> {
  const unlocked = await unlock(contents, policiesOf(checks)(contents.name), signal);
  const { facts } = draftBundle(contents, unlocked, { read: readCertificate, now });
  return { facts, unlocked };
}

/** Takes a bundle apart, and makes every check that is made before one is written. */
export async function inspectBundle(
  { name, read, meta: entry }: Subject,
  checks: Config["checks"],
  signal: AbortSignal,
): Promise<Inspection> {
  const now = systemClock.now();
  const meta = entry === undefined ? null : readMeta(entry);
  const ofMeta = meta === null || meta.problem === null ? [] : [meta.problem];
  const common = { name, now, meta };
  if (!read.ok) {
    const problems = [...read.problems, ...ofMeta];
    return { ...common, contents: null, pieces: null, proof: null, problems };
  }
  // This is all there is: no part is waited for, so that everything that is wrong is told.
  const contents = { ...read.contents, inParts: false };
  const [pieces, { proof, problems }] = await Promise.all([
    takeApart(contents, checks, now, signal),
    examine(contents, checks, signal),
  ]);
  return { ...common, contents, pieces, proof, problems: [...problems, ...ofMeta] };
}

async function examine(
  contents: Contents,
  checks: Config["checks"],
  signal: AbortSignal,
): Promise<Pick<Inspection, "proof" | "problems">> {
  const report = () => undefined;
  const handshakes = startHandshakes({ clock: systemClock, report });
  try {
    let proof: readonly Problem[] | null = null;
    const prove = async (candidate: Candidate) => {
      proof = await handshakes.prove(candidate, signal);
      return proof;
    };
    const examined = await createChecks(checks, { store: null, prove, clock: systemClock, report })(
      contents,
      signal,
    );
    return { proof, problems: examined.ok ? [] : examined.problems };
  } finally {
    await handshakes.close();
  }
}
