/**
 * Asks for the handshake before the bundle is read: reading it takes as long, and the process that shakes hands is idle.
 *
 * What will be proven is guessed: the blocks as they stand, with the key as it is. The answer counts only where the
 * bundle turns out to be exactly that; else the handshake is made again.
 */

import { splitCertificate } from "../core/der.ts";
import type { BlockRole } from "../core/digest.ts";
import type { Candidate, Prove } from "../core/handshake.ts";
import type { Contents, SourcedBlock } from "../core/material.ts";
import { writePem } from "../core/pem.ts";
import type { Problem } from "../core/problem.ts";
import { Secret } from "../core/secret.ts";
import { identityPemOf, trustPemOf } from "./candidate.ts";
import { foreignCurve } from "./curve.ts";
import { foreignCurveOfKey } from "./key-curve.ts";

/** A handshake that is out. */
export interface EarlyProof {
  /** Its answer, where it was made for this candidate. */
  answerFor(candidate: Candidate): Promise<readonly Problem[]> | undefined;
}

const SERVER_AUTH = Buffer.from("06082b06010505070301", "hex");
const CLIENT_AUTH = Buffer.from("06082b06010505070302", "hex");

/** Asks; undefined where there is nothing to guess, or a curve says that nothing may look at it yet. */
export function proveEarly(contents: Contents, prove: Prove, signal: AbortSignal): EarlyProof | undefined {
  const guess = guessCandidate(contents);
  if (guess === undefined) return undefined;
  const answer = prove(guess, signal);
  // Whoever waits for it hears of an abort; where nobody does, it ends nothing.
  answer.catch(() => undefined);
  return { answerFor: (candidate) => (isSame(candidate, guess) ? answer : undefined) };
}

function guessCandidate({ blocks }: Contents): Candidate | undefined {
  const of = (role: BlockRole) => blocks.filter((block) => block.role === role);
  const [chain, anchors, crls] = [of("certificate"), of("trust-anchor"), of("crl")];
  const [key, ...otherKeys] = of("private-key");
  const [leaf] = chain;
  if (leaf === undefined || key === undefined || otherKeys.length > 0) return undefined;
  if (key.label !== "PRIVATE KEY" || foreignCurveOfKey(key.der) !== undefined) return undefined;
  if (![...chain, ...anchors].every(isOnKnownCurve)) return undefined;
  const ders = (list: readonly SourcedBlock[]) => list.map(({ der }) => der);
  const privateKeyPem = new Secret(writePem(key.label, key.der));
  return {
    identity: identityPemOf({ chain: ders(chain), privateKeyPem }),
    trust: trustPemOf({ anchors: ders(anchors), crls: ders(crls) }),
    as: guessUse(leaf.der),
  };
}

function isOnKnownCurve({ der }: SourcedBlock): boolean {
  const fields = splitCertificate(der);
  return fields !== undefined && foreignCurve(...fields.keyAlgorithm) === undefined;
}

/** By the object identifiers that occur in it (RFC 5280 §4.2.1.12), as most leaves are proven that have them. */
function guessUse(leaf: Uint8Array): Candidate["as"] {
  const bytes = Buffer.from(leaf.buffer, leaf.byteOffset, leaf.byteLength);
  return bytes.includes(CLIENT_AUTH) && !bytes.includes(SERVER_AUTH) ? "client" : "server";
}

function isSame(a: Candidate, b: Candidate): boolean {
  return (
    a.as === b.as &&
    a.identity.chain === b.identity.chain &&
    a.identity.key.reveal() === b.identity.key.reveal() &&
    a.trust.anchors === b.trust.anchors &&
    a.trust.crls.join() === b.trust.crls.join()
  );
}
