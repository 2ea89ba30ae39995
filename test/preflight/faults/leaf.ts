/** Times, names, uses and strength. */
import { generateKeyPairSync } from "node:crypto";
import { KeyUsageFlags } from "@peculiar/x509";
import { inParts, whole } from "../../support/examine.ts";
import { ecKey, mint, mintAuthority, rsaKey } from "../../support/mint.ts";
import { extensionOf } from "../../support/mint-extensions.ts";
import type { Fault } from "./fault.ts";

const DAY_MS = 86_400_000;
const PRIVATE_OID = "1.3.6.1.4.1.55555.1";
const OTHER_OID = "1.3.6.1.4.1.55555.2";

const TIMES: readonly Fault[] = [
  { what: "where its leaf expired", codes: ["CERTIFICATE_EXPIRED"], values: leaf({ from: -9, until: -1 }) },
  { what: "where its leaf is of tomorrow", codes: ["CERTIFICATE_NOT_YET_VALID"], values: leaf({ from: 1 }) },
  {
    what: "where its leaf ends within minRemaining",
    codes: ["CERTIFICATE_EXPIRES_SOON"],
    policy: { minRemainingMs: DAY_MS },
    values: leaf({ until: 0.5 }),
  },
  {
    what: "where its leaf is valid for longer than maxValidity",
    codes: ["VALIDITY_TOO_LONG"],
    policy: { maxValidityMs: 90 * DAY_MS },
    values: leaf({ until: 9_999 }),
  },
  {
    what: "where its intermediate expired",
    codes: ["CERTIFICATE_EXPIRED"],
    values: under({ from: -9, until: -1 }),
  },
  {
    what: "where its intermediate is of tomorrow",
    codes: ["CERTIFICATE_NOT_YET_VALID"],
    values: under({ from: 1 }),
  },
  {
    what: "where its root expired",
    codes: ["CERTIFICATE_EXPIRED"],
    values: underRoot({ from: -9, until: -1 }),
  },
  {
    what: "where its root is of tomorrow",
    codes: ["CERTIFICATE_NOT_YET_VALID"],
    values: underRoot({ from: 1 }),
  },
];

const NAMES: readonly Fault[] = [
  { what: "where its leaf has a common name only", codes: ["NAME_MISSING"], values: leaf({ names: null }) },
  ...(
    [
      ["another DNS name", ["other.local"]],
      ["an IP address", ["10.0.0.1"]],
      ["an IPv6 address", ["fd00::2"]],
      ["a SPIFFE ID", ["spiffe://example.org/model"]],
      ["a name two labels below its wildcard", ["a.b.wild.local"]],
      ["the name its wildcard is below", ["wild.local"]],
      ["one name of two", ["inference.local", "second.local"]],
    ] as const
  ).map(([what, requireNames]): Fault => {
    const names = ["inference.local", "*.wild.local", "fd00::1", "spiffe://example.org/other"];
    return {
      what: `where it has to cover ${what}`,
      codes: ["NAME_NOT_COVERED"],
      policy: { requireNames },
      values: leaf({ names }),
    };
  }),
];

const USES: readonly Fault[] = [
  {
    what: "where its leaf is an authority",
    codes: ["LEAF_IS_CA"],
    values: leaf({ ca: true, keyUsage: null, uses: ["serverAuth"], names: ["a"] }),
  },
  {
    what: "where its leaf may not sign",
    codes: ["KEY_USAGE_WRONG"],
    values: leaf({ keyUsage: KeyUsageFlags.keyEncipherment }),
  },
  {
    what: "where its leaf signs code",
    codes: ["EXTENDED_KEY_USAGE_WRONG"],
    values: leaf({ uses: ["codeSigning"] }),
  },
  {
    what: "where its leaf says that it is for anything, which OpenSSL does not take",
    codes: ["EXTENDED_KEY_USAGE_WRONG"],
    values: leaf({ uses: ["any"] }),
  },
  {
    what: "where its leaf has to be for clients too",
    codes: ["EXTENDED_KEY_USAGE_WRONG"],
    policy: { requireEku: ["clientAuth"] },
    values: leaf({ uses: ["serverAuth"] }),
  },
  {
    what: "where its leaf is for clients and has to be for servers",
    codes: ["EXTENDED_KEY_USAGE_WRONG"],
    policy: { requireEku: ["serverAuth"] },
    values: leaf({ uses: ["clientAuth"] }),
  },
  {
    what: "where its intermediate may issue for clients only",
    codes: ["EXTENDED_KEY_USAGE_WRONG"],
    values: under({ uses: ["clientAuth"] }),
  },
  {
    what: "where its intermediate may issue for neither, and its leaf says nothing",
    codes: ["EXTENDED_KEY_USAGE_WRONG"],
    values: ({ root }) => {
      const issuer = mintAuthority("Code", { issuer: root, uses: ["codeSigning"] });
      return whole(mint({ issuer, uses: null }), issuer, root);
    },
  },
  {
    what: "where its root may issue for clients only",
    codes: ["EXTENDED_KEY_USAGE_WRONG"],
    values: underRoot({ uses: ["clientAuth"] }),
  },
  {
    what: "where its intermediate may not sign certificates",
    codes: ["KEY_USAGE_WRONG"],
    values: under({ keyUsage: KeyUsageFlags.cRLSign }),
  },
  {
    what: "where its root may not sign certificates",
    codes: ["KEY_USAGE_WRONG"],
    values: underRoot({ keyUsage: KeyUsageFlags.digitalSignature }),
  },
  {
    what: "where its leaf has a critical extension that nobody knows",
    codes: ["CRITICAL_EXTENSION_UNKNOWN"],
    values: leaf({ extra: [extensionOf(PRIVATE_OID, Buffer.from([5, 0]), true)] }),
  },
  {
    what: "where its leaf has two of them, and one is allowed",
    codes: ["CRITICAL_EXTENSION_UNKNOWN"],
    policy: { allowCriticalOids: [PRIVATE_OID] },
    values: leaf({
      extra: [PRIVATE_OID, OTHER_OID].map((id) => extensionOf(id, Buffer.from([5, 0]), true)),
    }),
  },
  {
    what: "where its intermediate has a critical extension that nobody knows",
    codes: ["CRITICAL_EXTENSION_UNKNOWN"],
    values: under({ extra: [extensionOf(PRIVATE_OID, Buffer.from([5, 0]), true)] }),
  },
  {
    what: "where its root has a critical extension that nobody knows",
    codes: ["CRITICAL_EXTENSION_UNKNOWN"],
    values: underRoot({ extra: [extensionOf(PRIVATE_OID, Buffer.from([5, 0]), true)] }),
  },
];

const STRENGTH: readonly Fault[] = [
  {
    what: "where its leaf has RSA of 1024 bits",
    codes: ["KEY_TOO_WEAK"],
    values: ({ root, weakRsa }) => whole(mint({ issuer: root, key: weakRsa }), root),
  },
  {
    what: "where its intermediate has RSA of 1024 bits",
    codes: ["KEY_TOO_WEAK"],
    values: (hierarchy) => under({ key: hierarchy.weakRsa })(hierarchy),
  },
  {
    what: "where its root has RSA of 1024 bits",
    codes: ["KEY_TOO_WEAK"],
    values: (hierarchy) => underRoot({ key: hierarchy.weakRsa })(hierarchy),
  },
  {
    what: "where its intermediate has DSA",
    codes: ["KEY_TOO_WEAK"],
    values: under({ key: generateKeyPairSync("dsa", { modulusLength: 2048, divisorLength: 256 }) }),
  },
  {
    what: "where its leaf is signed with SHA-1",
    codes: ["SIGNATURE_TOO_WEAK"],
    values: leaf({ hash: "sha1" }),
  },
  {
    what: "where its leaf is signed with MD5",
    codes: ["SIGNATURE_TOO_WEAK"],
    values: (hierarchy) => underRoot({ key: hierarchy.rsa }, { hash: "md5" })(hierarchy),
  },
  {
    what: "where its leaf is signed with RSASSA-PSS and SHA-1",
    codes: ["SIGNATURE_TOO_WEAK"],
    values: (hierarchy) => underRoot({ key: hierarchy.rsa }, { hash: "pss-sha1" })(hierarchy),
  },
  {
    what: "where its intermediate is signed with SHA-1",
    codes: ["SIGNATURE_TOO_WEAK"],
    values: under({ hash: "sha1" }),
  },
  {
    what: "by the profile fips where its leaf has Ed25519",
    codes: ["PROFILE_VIOLATED"],
    policy: { profile: "fips" },
    values: leaf({ key: generateKeyPairSync("ed25519") }),
  },
  {
    what: "by the profile fips where its root has Ed448",
    codes: ["PROFILE_VIOLATED"],
    policy: { profile: "fips" },
    values: underRoot({ key: generateKeyPairSync("ed448") }),
  },
  {
    what: "by the profile fips where its key has the exponent 3",
    codes: ["PROFILE_VIOLATED"],
    policy: { profile: "fips" },
    values: leaf({ key: rsaKey(2048, 3) }),
  },
];

export const LEAF_FAULTS: readonly Fault[] = [...TIMES, ...NAMES, ...USES, ...STRENGTH];

type Wish = Parameters<typeof mint>[0];

/** A leaf with a fault, under good issuers. */
export function leaf(wish: Wish): Fault["values"] {
  return ({ root, intermediate }) => inParts([mint({ issuer: intermediate, ...wish }), intermediate], [root]);
}

/** A good leaf under an intermediate with a fault. */
export function under(wish: Wish): Fault["values"] {
  return ({ root }) => {
    const issuer = mintAuthority("Faulty", { issuer: root, ...wish });
    return inParts([mint({ issuer }), issuer], [root]);
  };
}

/** A good leaf under a root with a fault. */
export function underRoot(wish: Wish, leafWish: Wish = {}): Fault["values"] {
  return () => {
    const root = mintAuthority("Faulty Root", { key: ecKey(), ...wish });
    return whole(mint({ issuer: root, ...leafWish }), root);
  };
}
