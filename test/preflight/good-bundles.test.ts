import assert from "node:assert/strict";
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { before, describe, it } from "node:test";
import type { Bundle } from "../../src/core/bundle.ts";
import type { CheckPolicy } from "../../src/core/policy.ts";
import { sequence, tlv } from "../support/asn1.ts";
import { examineValues, inParts, textOf, useProve, type Values, whole } from "../support/examine.ts";
import { ecKey, type KeyPair, type Minted, mint, mintAuthority, mintCrl, rsaKey } from "../support/mint.ts";
import { extensionOf } from "../support/mint-extensions.ts";
import { pemOf } from "../support/read-bundle.ts";

/** A row: what is put, under which policy, and what is sent of it where that is not obvious. */
interface Good {
  readonly what: string;
  readonly values: () => Values;
  readonly policy?: Partial<CheckPolicy>;
  readonly sent?: () => readonly Minted[];
}

const prove = useProve();
let root: Minted;
let intermediate: Minted;
let leaf: Minted;
const keys = new Map<string, KeyPair>();
const keyOf = (kind: string) => keys.get(kind) ?? assert.fail(kind);

before(() => {
  root = mintAuthority("Root");
  intermediate = mintAuthority("Intermediate", { issuer: root, until: 90 });
  leaf = mint({ issuer: intermediate });
  for (const bits of [2048, 3072, 4096]) keys.set(`RSA ${bits}`, rsaKey(bits));
  for (const curve of ["P-256", "P-384", "P-521"]) keys.set(curve, ecKey(curve));
  keys.set("Ed25519", generateKeyPairSync("ed25519"));
  keys.set("Ed448", generateKeyPairSync("ed448"));
  keys.set("RSASSA-PSS", generateKeyPairSync("rsa-pss", { modulusLength: 2048 }));
});

const KINDS: readonly Good[] = [
  ...[
    "RSA 2048",
    "RSA 3072",
    "RSA 4096",
    "P-256",
    "P-384",
    "P-521",
    "Ed25519",
    "Ed448",
    "RSASSA-PSS",
  ].flatMap((kind): Good[] => [
    {
      what: `with a leaf of ${kind} below an intermediate`,
      values: () => whole(mint({ issuer: intermediate, key: keyOf(kind) }), intermediate, root),
    },
    {
      what: `with a root of ${kind}, and no intermediate`,
      values: () => {
        const own = mintAuthority("Own Root", { key: keyOf(kind) });
        return whole(mint({ issuer: own }), own);
      },
    },
  ]),
  ...(["pss-sha256", "pss-sha384", "sha512"] as const).map((hash) => ({
    what: `signed by an RSA root with ${hash}`,
    policy: { profile: "fips" } as const,
    values: () => {
      const own = mintAuthority("Own Root", { key: keyOf("RSA 2048"), hash });
      return whole(mint({ issuer: own, hash }), own);
    },
  })),
  {
    what: "on P-384 throughout, by the profile fips",
    policy: { profile: "fips" },
    values: () => {
      const own = mintAuthority("Own Root", { key: keyOf("P-384") });
      return whole(mint({ issuer: own, key: ecKey("P-384") }), own);
    },
  },
  {
    what: "with a root that signed itself with SHA-1",
    values: () => {
      const own = mintAuthority("Old Root", { key: keyOf("RSA 2048"), hash: "sha1" });
      return whole(mint({ issuer: own }), own);
    },
  },
];

const NAMES: readonly Good[] = [
  { what: "with a wildcard", names: ["*.models.local"], requireNames: ["a.models.local", "*.models.local"] },
  { what: "with IP addresses", names: ["10.1.2.3", "fd00::1"], requireNames: ["10.1.2.3", "fd00:0:0::1"] },
  { what: "with a SPIFFE ID alone", names: ["spiffe://a.b/c"], requireNames: ["spiffe://a.b/c"] },
  { what: "whose names are in capitals", names: ["A.Models.Local"], requireNames: ["a.models.LOCAL."] },
].map(({ what, names, requireNames }) => ({
  what,
  policy: { requireNames },
  values: () => whole(mint({ issuer: intermediate, names }), intermediate, root),
}));

const USES: readonly Good[] = [
  { what: "for clients alone, without a name", wish: { uses: ["clientAuth"], names: null } },
  { what: "for servers alone", wish: { uses: ["serverAuth"] } },
  { what: "without an extended key usage", wish: { uses: null } },
  { what: "without a key usage", wish: { keyUsage: null } },
  { what: "without a subject", wish: { subject: "" } },
  { what: "without basic constraints", wish: { ca: null } },
  { what: "without key identifiers", wish: { authority: "none", hasKeyId: false } },
  { what: "whose issuer is named by serial number too", wish: { authority: "both" } },
  {
    what: "with a name of a kind that has no text",
    wish: {
      names: null,
      extra: [extensionOf("2.5.29.17", sequence(otherName(), tlv(0x82, Buffer.from("a"))))],
    },
  },
  {
    what: "with a critical extension that is allowed",
    wish: { extra: [extensionOf("1.3.6.1.4.1.55555.1", Buffer.from([5, 0]), true)] },
    policy: { allowCriticalOids: ["1.3.6.1.4.1.55555.1"] },
  },
  { what: "without an end that is near", wish: { until: 36_000 } },
].map(({ what, wish, policy = {} }) => ({
  what,
  policy,
  values: () => whole(mint({ issuer: intermediate, ...(wish as object) }), intermediate, root),
}));

const CHAINS: readonly Good[] = [
  { what: "without trust anchors", values: () => inParts([leaf, intermediate], []) },
  { what: "without trust anchors or intermediate", values: () => inParts([leaf], []) },
  {
    what: "without trust anchors, with a root in the chain that expired",
    ...chainOf(() => {
      const old = mintAuthority("Gone Root", { from: -9, until: -1 });
      const below = mintAuthority("Still Here", { issuer: old });
      const own = mint({ issuer: below });
      return { values: inParts([own, below, old], []), sent: [own, below] };
    }),
  },
  {
    what: "with its root in the chain",
    values: () => inParts([leaf, intermediate, root], [root]),
    sent: () => [leaf, intermediate],
  },
  {
    what: "with its intermediate among the trust anchors too",
    values: () => inParts([leaf, intermediate], [intermediate, root]),
    sent: () => [leaf, intermediate],
  },
  {
    what: "with three intermediates in the wrong order, and duplicates",
    ...chainOf(() => {
      const second = mintAuthority("Second", { issuer: intermediate });
      const third = mintAuthority("Third", { issuer: second });
      const own = mint({ issuer: third });
      const values = { "": textOf([root, second, own.keyPem, intermediate, second, third, own, root]) };
      return { values, sent: [own, third, second, intermediate] };
    }),
  },
  {
    what: "with certificates that do not belong to it",
    values: () =>
      whole(leaf, mintAuthority("Stray", { issuer: mintAuthority("Stray Root") }), intermediate, root),
    sent: () => [leaf, intermediate],
  },
  ...crossSigned(),
  {
    what: "with a root that was renewed with the same key",
    ...chainOf(() => {
      const key = ecKey();
      const own = mint({ issuer: mintAuthority("Renewed", { key, from: -99, until: -1 }) });
      return { values: whole(own, mintAuthority("Renewed", { key })), sent: [own] };
    }),
  },
  {
    what: "with a root that was renewed with the same key, and both of them trusted",
    ...chainOf(() => {
      const key = ecKey();
      const [old, renewed] = [mintAuthority("Renewed", { key }), mintAuthority("Renewed", { key })];
      const own = mint({ issuer: old, authority: "serial" });
      return { values: whole(own, renewed, old), sent: [own] };
    }),
  },
  {
    what: "with two roots of one name",
    ...chainOf(() => {
      const [old, next] = [mintAuthority("Root"), mintAuthority("Root")];
      const own = mint({ issuer: next });
      return { values: whole(own, old, next), sent: [own] };
    }),
  },
  {
    what: "with a leaf that signed itself and is its own trust anchor",
    ...chainOf(() => {
      const own = mint();
      return { values: inParts([own], [own]), sent: [own] };
    }),
  },
  {
    what: "with a leaf that signed itself as programs make it, an authority",
    ...chainOf(() => {
      const own = mint({ ca: true, keyUsage: null, uses: null, names: ["a.local"] });
      return { values: whole(own), sent: [own] };
    }),
  },
  {
    what: "with a root whose name is written in another kind of string",
    values: () => {
      const own = mintAuthority("Plain Name", { nameTag: 0x13 });
      const renamed = { ...own, subject: mintAuthority("plain  name").subject };
      return whole(mint({ issuer: renamed }), own);
    },
  },
  {
    what: "with a root of version 1",
    values: () => {
      const own = mintAuthority("First Version", { version: 1 });
      return whole(mint({ issuer: own, authority: "none" }), own);
    },
  },
  {
    what: "with a revocation list of each authority",
    values: () =>
      whole(leaf, intermediate, root, mintCrl({ issuer: root }), mintCrl({ issuer: intermediate })),
  },
  {
    what: "with an old revocation list beside the new one",
    values: () => {
      const lists = [{ until: -1, from: -9, revoked: [leaf] }, {}].map((wish) =>
        mintCrl({ issuer: intermediate, ...wish }),
      );
      return whole(leaf, intermediate, root, mintCrl({ issuer: root, until: null }), ...lists);
    },
  },
  {
    what: "with trust anchors alone",
    values: () => ({ "/ca.crt": textOf([root, mintAuthority("Second")]) }),
  },
  {
    what: "with trust anchors alone, one of which expired, and revocation lists of roots and intermediates",
    values: () => ({
      "/ca.crt": textOf([root, mintAuthority("Gone", { from: -9, until: -1 })]),
      "/ca.crl": mintCrl({ issuer: root }) + mintCrl({ issuer: intermediate }),
    }),
  },
];

const SHAPES: readonly Good[] = [
  { what: "with the line ends of Windows", shape: (text: string) => text.replaceAll("\n", "\r\n") },
  { what: "with a byte order mark", shape: (text: string) => `\u{feff}${text}` },
  {
    what: "with bag attributes and text before its blocks",
    shape: (text: string) =>
      text.replaceAll("-----BEGIN", "Bag Attributes\n    friendlyName: x\nsubject=CN = x\n-----BEGIN"),
  },
  {
    what: "with its blocks in another order",
    shape: (text: string) =>
      text
        .split(/(?=-----BEGIN)/)
        .reverse()
        .join(""),
  },
].map(({ what, shape }) => ({
  what,
  values: () => ({ "": shape(textOf([leaf, leaf.keyPem, intermediate, root])) }),
  sent: () => [leaf, intermediate],
}));

const ROWS = [...KINDS, ...NAMES, ...USES, ...CHAINS, ...SHAPES];

describe("a bundle is accepted", () => {
  for (const { what, values, policy = {}, sent } of ROWS) {
    it(what, async () => {
      const bundle = await accepted(values(), policy);
      if (sent !== undefined) assert.equal(pemOf(bundle.identity?.chain ?? []), textOf(sent()));
    });
  }

  it("with its key in each of the forms that are not encrypted", async () => {
    const key = keyOf("RSA 2048");
    const own = mint({ issuer: intermediate, key });
    for (const form of ["pkcs1", "pkcs8"] as const) {
      const keyPem = String(createPrivateKey(own.keyPem).export({ type: form, format: "pem" }));
      const { identity } = await accepted(whole({ ...own, keyPem }, intermediate, root));
      assert.equal(identity?.privateKeyPem.reveal(), own.keyPem);
    }
  });

  it("with extensions that nobody knows, which are kept to the byte", async () => {
    const extra = [extensionOf("1.3.6.1.4.1.55555.7", Buffer.from("0c0474657374", "hex"))];
    const own = mint({ issuer: intermediate, extra });
    const { identity } = await accepted(whole(own, intermediate, root));
    assert.deepEqual(Buffer.from(identity?.chain[0] ?? []), own.der);
  });
});

async function accepted(values: Values, policy: Partial<CheckPolicy> = {}): Promise<Bundle> {
  const examined = await examineValues(prove, values, { policy });
  if (!examined.ok)
    assert.fail(examined.problems.map(({ code, message }) => `${code}: ${message}`).join("\n"));
  return examined.bundle;
}

/** Rows whose certificates are made once, for what is put and for what is sent. */
function chainOf(make: () => { readonly values: Values; readonly sent: readonly Minted[] }) {
  let made: ReturnType<typeof make> | undefined;
  const once = () => {
    made ??= make();
    return made;
  };
  return { values: () => once().values, sent: () => once().sent };
}

/** An intermediate that two roots issued: which of the two certificates is sent, by which root is trusted. */
function crossSigned(): Good[] {
  const key = ecKey();
  const make = () => {
    const other = mintAuthority("Other Root");
    const [own, cross] = [root, other].map((issuer) => mintAuthority("Crossed", { issuer, key }));
    assert.ok(own && cross);
    return { other, own, cross, below: mint({ issuer: own }) };
  };
  return [
    {
      what: "with an intermediate of two roots, the second of which is trusted",
      ...chainOf(() => {
        const { other, own, cross, below } = make();
        return { values: inParts([below, own, cross], [other]), sent: [below, cross] };
      }),
    },
    {
      what: "with an intermediate of two roots, the first of which is trusted",
      ...chainOf(() => {
        const { own, cross, below } = make();
        return { values: inParts([below, cross, own], [root]), sent: [below, own] };
      }),
    },
    {
      what: "with an intermediate of two roots, one of which expired as intermediate",
      ...chainOf(() => {
        const { other, cross, below } = make();
        const expired = mintAuthority("Crossed", { issuer: root, key, from: -9, until: -1 });
        return { values: inParts([below, expired, cross], [root, other]), sent: [below, cross] };
      }),
    },
    {
      what: "with the certificate of the intermediate by the second root among the trust anchors",
      ...chainOf(() => {
        const { other, own, cross, below } = make();
        return { values: inParts([below, own], [other, cross]), sent: [below, own] };
      }),
    },
    {
      what: "with a root that another root issued too, for peers that know only that one",
      ...chainOf(() => {
        const rootKey = ecKey();
        const old = mintAuthority("Old Root");
        const next = mintAuthority("Next Root", { key: rootKey });
        const bridge = mintAuthority("Next Root", { issuer: old, key: rootKey });
        const own = mint({ issuer: next });
        return { values: inParts([own, bridge], [next]), sent: [own, bridge] };
      }),
    },
  ];
}

/** A Kerberos name (RFC 4556), which is no text. */
function otherName(): Buffer {
  return tlv(0xa0, tlv(0x06, Buffer.from("2b060105020202".slice(0, 12), "hex")), tlv(0xa0, sequence()));
}
