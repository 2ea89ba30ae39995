/** Whether the keys and signatures of the chain are strong enough, and of the profile. */

import type { Profile } from "../../core/policy.ts";
import type { Problem } from "../../core/problem.ts";
import type { SignatureFacts } from "../algorithms.ts";
import type { CertificateFacts } from "../certificate.ts";
import type { Placed } from "../chain.ts";
import { isRoot } from "../issuer.ts";
import { type CheckInput, nameOf } from "./subject.ts";

/** 112 bits of security (SP 800-131A Rev. 2 §3): what OpenSSL asks for at its security level 2. */
const MIN_RSA_BITS = 2_048;
/** SP 800-131A Rev. 2 §9: SHA-1 is not to make signatures any more, nor what is older. */
const BROKEN_HASHES: readonly string[] = ["md2", "md4", "md5", "sha1"];
/** FIPS 180-4. */
const SHA_2: readonly string[] = ["sha224", "sha256", "sha384", "sha512", "sha512-224", "sha512-256"];
/** FIPS 186-5 §A.1.1: an odd number between 2^16 and 2^256. */
const FIPS_EXPONENT = { least: 65_537n, bound: 1n << 256n };
/** SP 800-186 §3.2.1. */
const FIPS_CURVES: readonly string[] = ["prime256v1", "secp384r1", "secp521r1"];

/** Checks the leaf, its issuers and the trust anchor that is used. */
export function checkStrength({ chain, policy }: CheckInput): Problem[] {
  return (chain?.path ?? []).flatMap((one) => [
    ...keyProblems(one, policy.profile),
    // The signature of a root is its own, and proves nothing.
    ...(isRoot(one.certificate) ? [] : signatureProblems(one, policy.profile)),
  ]);
}

function keyProblems(one: Placed, profile: Profile): Problem[] {
  const weakness = weaknessOf(one.certificate);
  if (weakness !== undefined) {
    const message = `${nameOf(one)} has ${weakness}; use RSA of ${MIN_RSA_BITS} bits or more, P-256, P-384 or P-521`;
    return [{ code: "KEY_TOO_WEAK", message }];
  }
  if (profile === "default" || isFipsKey(one.certificate)) return [];
  const message = `${nameOf(one)} has a key of ${keyName(one.certificate)}, which the profile fips does not have; use RSA of ${MIN_RSA_BITS} bits or more, P-256, P-384 or P-521`;
  return [{ code: "PROFILE_VIOLATED", message }];
}

function signatureProblems(one: Placed, profile: Profile): Problem[] {
  const { signature } = one.certificate;
  if (BROKEN_HASHES.includes(signature.hash ?? "")) {
    const message = `${nameOf(one)} is signed by ${signature.name}, which can be forged; issue it again with SHA-256 or better`;
    return [{ code: "SIGNATURE_TOO_WEAK", message }];
  }
  if (profile === "default" || isFipsSignature(signature)) return [];
  const message = `${nameOf(one)} is signed by ${signature.name}, which the profile fips does not have; issue it again by RSA or ECDSA with SHA-2`;
  return [{ code: "PROFILE_VIOLATED", message }];
}

function weaknessOf({ publicKey }: CertificateFacts): string | undefined {
  const { modulusLength = 0, publicExponent = 0n } = publicKey?.asymmetricKeyDetails ?? {};
  if (publicKey?.asymmetricKeyType === "dsa") return "a DSA key, which TLS 1.3 does not know";
  if (!isRsa(publicKey?.asymmetricKeyType)) return undefined;
  if (modulusLength < MIN_RSA_BITS) return `an RSA key of ${modulusLength} bits`;
  const isUsable = publicExponent > 1n && publicExponent % 2n === 1n;
  return isUsable ? undefined : `an RSA key with the exponent ${publicExponent}`;
}

/**
 * RSA, and ECDSA on three curves. FIPS 186-5 approves Ed25519 and Ed448 too; few modules that are validated have them,
 * and they are left out.
 */
function isFipsKey({ publicKey }: CertificateFacts): boolean {
  const { namedCurve = "", publicExponent = 0n } = publicKey?.asymmetricKeyDetails ?? {};
  if (publicKey?.asymmetricKeyType === "ec") return FIPS_CURVES.includes(namedCurve);
  const { least, bound } = FIPS_EXPONENT;
  return isRsa(publicKey?.asymmetricKeyType) && publicExponent >= least && publicExponent < bound;
}

function isFipsSignature({ scheme, hash }: SignatureFacts): boolean {
  return ["RSA", "RSA-PSS", "ECDSA"].includes(scheme) && SHA_2.includes(hash ?? "");
}

function isRsa(type: string | undefined): boolean {
  return type === "rsa" || type === "rsa-pss";
}

function keyName({ publicKey, keyAlgorithm }: CertificateFacts): string {
  const { publicExponent } = publicKey?.asymmetricKeyDetails ?? {};
  const exponent = publicExponent === undefined ? "" : ` with the exponent ${publicExponent}`;
  return `${publicKey?.asymmetricKeyType?.toUpperCase() ?? keyAlgorithm}${exponent}`;
}
