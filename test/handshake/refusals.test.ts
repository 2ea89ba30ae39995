import "reflect-metadata";
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { describe, it } from "node:test";
import { KeyUsageFlags } from "@peculiar/x509";
import { writePem } from "../../src/core/pem.ts";
import type { ProblemCode } from "../../src/core/problem.ts";
import { sequence, tlv } from "../support/asn1.ts";
import { ecKey, mint, mintAuthority, mintCrl, rsaKey } from "../support/mint.ts";
import { extensionOf } from "../support/mint-extensions.ts";
import { codesOf, type Presented, presentedBy } from "./candidate.ts";

type Fault = readonly [what: string, code: ProblemCode, present: () => Presented];

const EXPIRED = { from: -20, until: -10 };
const FUTURE = { from: 10, until: 20 };
/** Tags of the two kinds of name constraints (RFC 5280 §4.2.1.10). */
const PERMITTED = 0xa0;
const EXCLUDED = 0xa1;
const CRITICAL = { extra: [extensionOf("1.3.6.1.4.1.99999.1", Buffer.from([5, 0]), true)] };
const NOTHING = sequence();

describe("OpenSSL refuses, of the times", () => {
  refuses([
    ["a leaf that has expired", "CERTIFICATE_EXPIRED", () => presentedBy({ leaf: EXPIRED })],
    ["an intermediate that has expired", "CERTIFICATE_EXPIRED", () => presentedBy({ intermediate: EXPIRED })],
    ["a root that has expired", "CERTIFICATE_EXPIRED", () => presentedBy({ root: EXPIRED })],
    ["a leaf to come", "CERTIFICATE_NOT_YET_VALID", () => presentedBy({ leaf: FUTURE })],
    ["an intermediate to come", "CERTIFICATE_NOT_YET_VALID", () => presentedBy({ intermediate: FUTURE })],
    ["a root to come", "CERTIFICATE_NOT_YET_VALID", () => presentedBy({ root: FUTURE })],
  ]);
});

describe("OpenSSL refuses, of the chain", () => {
  const good = presentedBy({});
  const { leaf, intermediate, root } = good;
  const other = mintAuthority("Other");
  const under = (wish: Parameters<typeof presentedBy>[0]) => () => presentedBy(wish);
  refuses([
    ["one without its intermediate", "CHAIN_INCOMPLETE", () => ({ ...good, chain: [leaf] })],
    ["one of another root", "CHAIN_UNTRUSTED", () => ({ ...good, anchors: [other] })],
    [
      "one of another root of the same name",
      "CHAIN_UNTRUSTED",
      () => ({ ...good, anchors: [mintAuthority("Root")] }),
    ],
    [
      "a root that came along",
      "CHAIN_UNTRUSTED",
      () => ({ chain: [leaf, intermediate, root], anchors: [other] }),
    ],
    ["a leaf that signed itself", "CHAIN_UNTRUSTED", () => ({ chain: [mint()], anchors: [other] })],
    [
      "an intermediate as the only trust anchor",
      "CHAIN_UNTRUSTED",
      () => ({ ...good, anchors: [intermediate] }),
    ],
    [
      "a leaf that names another key of its issuer",
      "CHAIN_INCOMPLETE",
      under({ leaf: { authority: `0x${"ab".repeat(20)}` } }),
    ],
    ["a leaf that names another serial number of its issuer", "CHAIN_INCOMPLETE", () => withNamesake()],
    ["an issuer that is a leaf", "ISSUER_NOT_CA", under({ intermediate: { ca: false } })],
    [
      "an issuer that may sign and is no authority",
      "EXTENDED_KEY_USAGE_WRONG",
      under({ intermediate: { ca: false, keyUsage: KeyUsageFlags.keyCertSign, uses: null } }),
    ],
    [
      "an issuer that may not sign certificates",
      "ISSUER_NOT_CA",
      under({ intermediate: { keyUsage: KeyUsageFlags.cRLSign } }),
    ],
    ["more intermediates than the root allows", "PATH_TOO_LONG", under({ root: { ca: 0 } })],
    [
      "a name that is not among the permitted",
      "NAME_CONSTRAINT_VIOLATED",
      under({ intermediate: constraint(PERMITTED, "example.com") }),
    ],
    [
      "a name that is excluded",
      "NAME_CONSTRAINT_VIOLATED",
      under({ intermediate: constraint(EXCLUDED, "inference.local") }),
    ],
    ["a damaged leaf", "SIGNATURE_INVALID", under({ leaf: { isDamaged: true } })],
    ["a damaged intermediate", "SIGNATURE_INVALID", under({ intermediate: { isDamaged: true } })],
    ["a leaf that another key signed", "SIGNATURE_INVALID", under({ leaf: { signer: ecKey() } })],
    ["an unknown critical extension of the leaf", "CRITICAL_EXTENSION_UNKNOWN", under({ leaf: CRITICAL })],
    [
      "an unknown critical extension of an intermediate",
      "CRITICAL_EXTENSION_UNKNOWN",
      under({ intermediate: CRITICAL }),
    ],
  ]);
});

describe("OpenSSL refuses, of keys and uses", () => {
  const under = (wish: Parameters<typeof presentedBy>[0]) => () => presentedBy(wish);
  const explicitCurve = generateKeyPairSync("ec", { namedCurve: "P-256", paramEncoding: "explicit" });
  refuses([
    ["a leaf for something else", "EXTENDED_KEY_USAGE_WRONG", under({ leaf: { uses: ["codeSigning"] } })],
    [
      "an intermediate for something else",
      "EXTENDED_KEY_USAGE_WRONG",
      under({ intermediate: { uses: ["codeSigning"] } }),
    ],
    [
      "a leaf whose key may only sign certificates",
      "EXTENDED_KEY_USAGE_WRONG",
      under({ leaf: { keyUsage: KeyUsageFlags.keyCertSign } }),
    ],
    ["RSA 1024 of the leaf", "KEY_TOO_WEAK", under({ leaf: { key: rsaKey(1024) } })],
    ["RSA 1024 of an intermediate", "KEY_TOO_WEAK", under({ intermediate: { key: rsaKey(1024) } })],
    ["RSA 1024 of the root", "KEY_TOO_WEAK", under({ root: { key: rsaKey(1024) } })],
    ["SHA-1 of the leaf", "SIGNATURE_TOO_WEAK", under({ leaf: { hash: "sha1" } })],
    ["SHA-1 of an intermediate", "SIGNATURE_TOO_WEAK", under({ intermediate: { hash: "sha1" } })],
    ["a curve by its parameters", "CURVE_UNSUPPORTED", under({ intermediate: { key: explicitCurve } })],
    ["the key of another leaf", "KEY_MISMATCH", () => ({ ...presentedBy({}), key: mint().keyPem })],
    [
      "a key of another kind",
      "KEY_MISMATCH",
      () => ({ ...presentedBy({}), key: mint({ key: rsaKey() }).keyPem }),
    ],
    [
      "a key that is none",
      "KEY_UNREADABLE",
      () => ({ ...presentedBy({}), key: writePem("PRIVATE KEY", NOTHING) }),
    ],
    [
      "a certificate that is none",
      "HANDSHAKE_FAILED",
      () => ({ ...presentedBy({}), chain: [{ ...mint(), pem: writePem("CERTIFICATE", NOTHING) }] }),
    ],
  ]);
});

describe("OpenSSL refuses, of revocation lists", () => {
  const { leaf, intermediate, root, ...presented } = presentedBy({});
  const ofRoot = mintCrl({ issuer: root });
  const ofIntermediate = mintCrl({ issuer: intermediate });
  const withCrls =
    (...crls: readonly string[]) =>
    (): Presented => ({ ...presented, crls });
  const noCrlSign = () => {
    const given = presentedBy({ intermediate: { keyUsage: KeyUsageFlags.keyCertSign } });
    return { ...given, crls: [given.root, given.intermediate].map((issuer) => mintCrl({ issuer })) };
  };
  refuses([
    [
      "a leaf that is on one",
      "CERTIFICATE_REVOKED",
      withCrls(ofRoot, mintCrl({ issuer: intermediate, revoked: [leaf] })),
    ],
    [
      "an intermediate that is on one",
      "CERTIFICATE_REVOKED",
      withCrls(mintCrl({ issuer: root, revoked: [intermediate] }), ofIntermediate),
    ],
    ["one that has expired", "CRL_EXPIRED", withCrls(ofRoot, mintCrl({ issuer: intermediate, ...EXPIRED }))],
    ["one to come", "CRL_NOT_YET_VALID", withCrls(ofRoot, mintCrl({ issuer: intermediate, ...FUTURE }))],
    ["that the one of the intermediate is missing", "CRL_MISSING", withCrls(ofRoot)],
    ["that the one of the root is missing", "CRL_MISSING", withCrls(ofIntermediate)],
    [
      "one that another key signed",
      "CRL_INVALID",
      withCrls(ofRoot, mintCrl({ issuer: intermediate, signer: ecKey() })),
    ],
    ["one of an authority that may not sign any", "CRL_INVALID", noCrlSign],
    ["one that is none", "CRL_UNREADABLE", withCrls(ofRoot, writePem("X509 CRL", NOTHING))],
    [
      "that none of the root's issuer can be, without trust anchors",
      "CRL_MISSING",
      () => ({ ...withCrls(ofRoot, ofIntermediate)(), anchors: [] }),
    ],
  ]);
});

function refuses(faults: readonly Fault[]): void {
  for (const [what, code, present] of faults) {
    it(what, async () => {
      const presented = present();
      for (const as of ["server", "client", "both"] as const) {
        assert.deepEqual(await codesOf(presented, as), [code], as);
      }
    });
  }
}

/** The leaf names its issuer by a serial number, and another certificate of that issuer is sent. */
function withNamesake(): Presented {
  const { root, intermediate } = presentedBy({});
  const renewed = mintAuthority("Intermediate", { issuer: root, key: intermediate.key });
  return { chain: [mint({ issuer: intermediate, authority: "serial" }), renewed], anchors: [root] };
}

/** Names of DNS below the one that is given are the only ones permitted, or are excluded. */
function constraint(kind: number, name: string): { readonly extra: readonly Buffer[] } {
  const subtree = sequence(tlv(0x82, Buffer.from(name)));
  return { extra: [extensionOf("2.5.29.30", sequence(tlv(kind, subtree)), true)] };
}
