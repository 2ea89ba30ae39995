/** From a test case to what the daemon would see in etcd: a bundle in parts, and the policy it is checked by. */
import { type ContentsResult, gatherMaterial, readMaterial } from "../../src/core/material.ts";
import { type BundleName, keysOf } from "../../src/core/names.ts";
import type { CheckPolicy, ExtendedKeyUsage } from "../../src/core/policy.ts";
import { type Entry, MAX_VALUE_BYTES } from "../../src/core/snapshot.ts";
import type { LimboCase } from "./limbo-case.ts";
import { isSameThen } from "./validity.ts";

/** What is put to the checks. */
export interface Trial {
  readonly read: ContentsResult;
  readonly policy: CheckPolicy;
}

const PREFIX = "/certs/";
const TRIAL_NAME = "conformance" as BundleName;

/** The trial of a test case, or why keyturn has no answer to what it asks. */
export function trialOf(testCase: LimboCase, now: Date): Trial | { readonly notApplicable: string } {
  const why = whyNotApplicable(testCase, now);
  if (why !== undefined) return { notApplicable: why };
  const values = {
    "tls.crt": [testCase.peer_certificate, ...testCase.untrusted_intermediates],
    "tls.key": [testCase.peer_certificate_key ?? ""],
    "ca.crt": testCase.trusted_certs,
    "ca.crl": testCase.crls,
  };
  const entries = keysOf(PREFIX, TRIAL_NAME).flatMap(({ key, part }) => {
    const pems = values[part as keyof typeof values] ?? [];
    return pems.length === 0 ? [] : [[key, entryOf(key, pems.join("\n"))] as const];
  });
  return {
    read: readMaterial(gatherMaterial(PREFIX, TRIAL_NAME, new Map(entries))),
    policy: {
      profile: "default",
      minRemainingMs: 0,
      maxValidityMs: null,
      allowCriticalOids: [],
      requireNames: namesOf(testCase).map(({ value }) => value),
      requireEku: usagesOf(testCase),
      passphraseFile: null,
    },
  };
}

/** The first reason that fits. */
function whyNotApplicable(testCase: LimboCase, now: Date): string | undefined {
  const { validation_time: time } = testCase;
  const foreignName = namesOf(testCase).find(({ kind }) => kind !== "DNS" && kind !== "IP");
  const foreignUse = testCase.extended_key_usage.find((use) => use !== "serverAuth" && use !== "clientAuth");
  const reasons: readonly (readonly [boolean, string])[] = [
    [!testCase.peer_certificate_key, "no private key of the peer: a handshake needs it"],
    [testCase.trusted_certs.length === 0, "no trusted certificate: keyturn then judges no chain"],
    [testCase.signature_algorithms.length > 0, "no setting for signature_algorithms"],
    [testCase.max_chain_depth != null, "no setting for max_chain_depth"],
    [testCase.key_usage.some((use) => use !== "digitalSignature"), "no setting for key_usage"],
    [foreignUse !== undefined, `no setting for the use ${foreignUse}`],
    [foreignName !== undefined, `no setting for names of the kind ${foreignName?.kind}`],
    [time != null && !isSameThen(testCase, new Date(time), now), `needs the clock of ${time?.slice(0, 10)}`],
  ];
  return reasons.find(([applies]) => applies)?.[1];
}

function namesOf({ expected_peer_name, expected_peer_names }: LimboCase) {
  return [...(expected_peer_name ? [expected_peer_name] : []), ...expected_peer_names];
}

function usagesOf({ validation_kind, extended_key_usage }: LimboCase): readonly ExtendedKeyUsage[] {
  const own = validation_kind === "SERVER" ? "serverAuth" : "clientAuth";
  return [...new Set([own, ...(extended_key_usage as ExtendedKeyUsage[])] as const)];
}

/** As the source hands a value on: one over the limit is dropped. */
function entryOf(key: string, text: string): Entry {
  const value = Buffer.from(text);
  const { length: bytes } = value;
  return { key, bytes, value: bytes > MAX_VALUE_BYTES ? null : value, modRevision: 1 };
}
