/** What cannot be read, or does not belong together. */
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { writePem } from "../../../src/core/pem.ts";
import { sequence, tlv } from "../../support/asn1.ts";
import { inParts, textOf, whole } from "../../support/examine.ts";
import { ecKey, type Minted, mint, mintAuthority, mintCrl } from "../../support/mint.ts";
import { extensionOf } from "../../support/mint-extensions.ts";
import type { Fault } from "./fault.ts";

const GARBAGE = Buffer.from([0x30, 0x03, 0x02, 0x01, 0x00]);
const P256_POINT_BYTES = 64;

export const READING_FAULTS: readonly Fault[] = [
  {
    what: "where a certificate beside it is garbage",
    codes: ["CERTIFICATE_UNREADABLE"],
    values: ({ root, intermediate }) =>
      whole(mint({ issuer: intermediate }), intermediate, root, writePem("CERTIFICATE", GARBAGE)),
  },
  {
    what: "where its trust anchor is cut off",
    codes: ["CERTIFICATE_UNREADABLE"],
    values: ({ root, intermediate }) => ({
      ...inParts([mint({ issuer: intermediate }), intermediate], []),
      "/ca.crt": writePem("CERTIFICATE", root.der.subarray(0, -20)),
    }),
  },
  {
    what: "where the key of its intermediate is no point of its curve",
    codes: ["CERTIFICATE_UNREADABLE"],
    values: ({ root, intermediate }) =>
      whole(mint({ issuer: intermediate }), withoutPoint(intermediate), root),
  },
  {
    what: "where the leaf has an extension twice",
    codes: ["CERTIFICATE_UNREADABLE"],
    values: ({ root }) =>
      whole(mint({ issuer: root, extra: [extensionOf("2.5.29.19", sequence(), true)] }), root),
  },
  {
    what: "where the key usage of the leaf is none",
    codes: ["CERTIFICATE_UNREADABLE"],
    values: ({ root }) =>
      whole(
        mint({ issuer: root, keyUsage: null, extra: [extensionOf("2.5.29.15", sequence(), true)] }),
        root,
      ),
  },
  {
    what: "where the names of the leaf are none",
    codes: ["CERTIFICATE_UNREADABLE"],
    values: ({ root }) =>
      whole(mint({ issuer: root, names: null, extra: [extensionOf("2.5.29.17", tlv(0x04))] }), root),
  },
  {
    what: "where its key is that of another leaf",
    codes: ["KEY_MISMATCH"],
    values: ({ root }) => whole({ ...mint({ issuer: root }), keyPem: mint().keyPem }, root),
  },
  {
    what: "where its key is of another kind",
    codes: ["KEY_MISMATCH"],
    values: ({ root, rsa }) => whole({ ...mint({ issuer: root }), keyPem: mint({ key: rsa }).keyPem }, root),
  },
  {
    what: "where it has no key",
    codes: ["KEY_MISSING"],
    values: ({ root }) => ({ "": textOf([mint({ issuer: root }), root]) }),
  },
  {
    what: "where it has a key and no leaf",
    codes: ["LEAF_MISSING"],
    values: ({ root }) => ({ "": root.pem + mint().keyPem }),
  },
  {
    what: "where it has two keys",
    codes: ["TOO_MANY_KEYS"],
    values: ({ root }) => whole(mint({ issuer: root }), root, mint().keyPem),
  },
  {
    what: "where its key fits two certificates",
    codes: ["LEAF_AMBIGUOUS"],
    values: ({ root }) => {
      const key = ecKey();
      return whole(mint({ issuer: root, key }), mint({ issuer: root, key }), root);
    },
  },
  {
    what: "where its key is encrypted and no passphrase is configured",
    codes: ["KEY_ENCRYPTED"],
    values: ({ root }) => {
      const leaf = mint({ issuer: root });
      const lock = { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" } as const;
      return whole({ ...leaf, keyPem: String(createPrivateKey(leaf.keyPem).export(lock)) }, root);
    },
  },
  {
    what: "where its key is garbage",
    codes: ["KEY_UNREADABLE"],
    values: ({ root }) =>
      whole({ ...mint({ issuer: root }), keyPem: writePem("PRIVATE KEY", Buffer.alloc(99, 7)) }, root),
  },
  {
    what: "where its revocation list is garbage",
    codes: ["CRL_UNREADABLE"],
    values: ({ root }) => whole(mint({ issuer: root }), root, writePem("X509 CRL", GARBAGE)),
  },
  {
    what: "where its revocation list is cut off",
    codes: ["CRL_UNREADABLE"],
    values: ({ root }) => {
      const der = Buffer.from(mintCrl({ issuer: root }).replace(/-----[^-]+-----/g, ""), "base64");
      return whole(mint({ issuer: root }), root, writePem("X509 CRL", der.subarray(0, -9)));
    },
  },
  ...curveFaults("brainpoolP256r1"),
  ...curveFaults("secp256k1"),
  {
    what: "where the curve of its leaf is given by parameters",
    codes: ["CURVE_UNSUPPORTED"],
    values: ({ root }) => {
      const key = generateKeyPairSync("ec", { namedCurve: "P-256", paramEncoding: "explicit" });
      return whole(mint({ issuer: root, key }), root);
    },
  },
];

/** In every place a certificate can have: the leaf, its issuers, and beside them. */
function curveFaults(curve: string): Fault[] {
  const on = { key: ecKey(curve) };
  const root = mintAuthority("Foreign Root", on);
  const codes = ["CURVE_UNSUPPORTED"] as const;
  return [
    {
      what: `where its leaf is on ${curve}`,
      codes,
      values: ({ root, intermediate }) => whole(mint({ issuer: intermediate, ...on }), intermediate, root),
    },
    {
      what: `where its intermediate is on ${curve}`,
      codes,
      values: ({ root }) => {
        const issuer = mintAuthority("Foreign", { issuer: root, ...on });
        return whole(mint({ issuer }), issuer, root);
      },
    },
    { what: `where its root is on ${curve}`, codes, values: () => whole(mint({ issuer: root }), root) },
    {
      what: `where another trust anchor is on ${curve}`,
      codes,
      values: ({ root: good, intermediate }) =>
        inParts([mint({ issuer: intermediate }), intermediate], [good, root]),
    },
    {
      what: `where a certificate that nobody trusts is on ${curve}`,
      codes,
      values: ({ root: good, intermediate }) =>
        inParts(
          [mint({ issuer: intermediate }), intermediate, mint({ subject: "stray", issuer: good, ...on })],
          [good],
        ),
    },
    { what: `where it has trust anchors alone, on ${curve}`, codes, values: () => ({ "": root.pem }) },
  ];
}

/** The same certificate with a key that is none: its coordinates do not fit together. */
function withoutPoint(minted: Minted): string {
  const der = Buffer.from(minted.der);
  const key = minted.key.publicKey.export({ type: "spki", format: "der" });
  der.fill(7, der.indexOf(key) + key.length - P256_POINT_BYTES, der.indexOf(key) + key.length);
  return writePem("CERTIFICATE", der);
}
