/** Two and three faults at once: OpenSSL alone would name one of them. */
import { KeyUsageFlags } from "@peculiar/x509";
import { inParts, whole } from "../../support/examine.ts";
import { ecKey, mint, mintAuthority, mintCrl } from "../../support/mint.ts";
import { extensionOf } from "../../support/mint-extensions.ts";
import { constraintOf, listed, PERMITTED } from "./chain.ts";
import type { Fault } from "./fault.ts";
import { leaf } from "./leaf.ts";

const PRIVATE = extensionOf("1.3.6.1.4.1.55555.1", Buffer.from([5, 0]), true);
const EXPIRED = { from: -9, until: -1 } as const;

export const SEVERAL_FAULTS: readonly Fault[] = [
  {
    what: "where its leaf expired and has no names",
    codes: ["CERTIFICATE_EXPIRED", "NAME_MISSING"],
    values: leaf({ ...EXPIRED, names: null }),
  },
  {
    what: "where its leaf expired and its intermediate is of tomorrow",
    codes: ["CERTIFICATE_EXPIRED", "CERTIFICATE_NOT_YET_VALID"],
    values: ({ root }) => {
      const issuer = mintAuthority("Tomorrow", { issuer: root, from: 1 });
      return whole(mint({ issuer, ...EXPIRED }), issuer, root);
    },
  },
  {
    what: "where its leaf expired and its signature is damaged",
    codes: ["CERTIFICATE_EXPIRED", "SIGNATURE_INVALID"],
    values: leaf({ ...EXPIRED, isDamaged: true }),
  },
  {
    what: "where its leaf expired and its intermediate is missing",
    codes: ["CERTIFICATE_EXPIRED", "CHAIN_INCOMPLETE"],
    values: ({ root, intermediate }) => whole(mint({ issuer: intermediate, ...EXPIRED }), root),
  },
  {
    what: "where its leaf expired, signs code and has a critical extension that nobody knows",
    codes: ["CERTIFICATE_EXPIRED", "CRITICAL_EXTENSION_UNKNOWN", "EXTENDED_KEY_USAGE_WRONG"],
    values: leaf({ ...EXPIRED, uses: ["codeSigning"], extra: [PRIVATE] }),
  },
  {
    what: "where its leaf expired and may not have its name",
    codes: ["CERTIFICATE_EXPIRED", "NAME_CONSTRAINT_VIOLATED"],
    values: ({ root }) => {
      const extra = [constraintOf(PERMITTED, "elsewhere.local")];
      const issuer = mintAuthority("Constrained", { issuer: root, extra });
      return whole(mint({ issuer, ...EXPIRED }), issuer, root);
    },
  },
  {
    what: "where its key is that of another leaf, and its leaf expired",
    codes: ["CERTIFICATE_EXPIRED", "KEY_MISMATCH"],
    values: ({ root }) => whole({ ...mint({ issuer: root, ...EXPIRED }), keyPem: mint().keyPem }, root),
  },
  {
    what: "where its key is missing, and so is a name",
    codes: ["KEY_MISSING", "NAME_NOT_COVERED"],
    policy: { requireNames: ["other.local"] },
    values: ({ root }) => whole({ ...mint({ issuer: root }), keyPem: "" }, root),
  },
  {
    what: "where its key is garbage, its intermediate is missing and its leaf signs code",
    codes: ["CHAIN_INCOMPLETE", "EXTENDED_KEY_USAGE_WRONG", "KEY_UNREADABLE"],
    values: ({ root, intermediate }) => {
      const signsCode = mint({ issuer: intermediate, uses: ["codeSigning"] });
      const keyPem = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
      return whole({ ...signsCode, keyPem }, root);
    },
  },
  {
    what: "where its root is on secp256k1, and its leaf expired",
    codes: ["CERTIFICATE_EXPIRED", "CURVE_UNSUPPORTED"],
    values: () => {
      const root = mintAuthority("Foreign", { key: ecKey("secp256k1") });
      return whole(mint({ issuer: root, ...EXPIRED }), root);
    },
  },
  {
    what: "where its leaf is on brainpoolP256r1, and beside it is a revocation list that cannot be read",
    codes: ["CRL_UNREADABLE", "CURVE_UNSUPPORTED"],
    values: ({ root }) =>
      whole(
        mint({ issuer: root, key: ecKey("brainpoolP256r1") }),
        root,
        "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n",
      ),
  },
  {
    what: "where its key is another, its intermediate is missing, and a revocation list cannot be read",
    codes: ["CHAIN_INCOMPLETE", "CRL_UNREADABLE", "KEY_MISMATCH"],
    values: ({ root, intermediate }) =>
      whole(
        { ...mint({ issuer: intermediate }), keyPem: mint().keyPem },
        root,
        "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n",
      ),
  },
  {
    what: "where its leaf is revoked, and its root has no revocation list",
    codes: ["CERTIFICATE_REVOKED", "CRL_MISSING"],
    values: listed(({ leaf: revoked, intermediate }) => [
      mintCrl({ issuer: intermediate, revoked: [revoked] }),
    ]),
  },
  {
    what: "where its leaf is revoked by a list that has expired",
    codes: ["CERTIFICATE_REVOKED", "CRL_EXPIRED"],
    values: listed(({ leaf: revoked, root, intermediate }) => [
      mintCrl({ issuer: root }),
      mintCrl({ issuer: intermediate, revoked: [revoked], ...EXPIRED }),
    ]),
  },
  {
    what: "where its leaf has RSA of 1024 bits, signed with SHA-1",
    codes: ["KEY_TOO_WEAK", "SIGNATURE_TOO_WEAK"],
    values: (hierarchy) => leaf({ key: hierarchy.weakRsa, hash: "sha1" })(hierarchy),
  },
  {
    what: "where its intermediate is no authority, has expired and is signed with SHA-1",
    codes: ["CERTIFICATE_EXPIRED", "ISSUER_NOT_CA", "SIGNATURE_TOO_WEAK"],
    values: ({ root }) => {
      const issuer = mintAuthority("Everything", {
        issuer: root,
        ...EXPIRED,
        ca: false,
        keyUsage: KeyUsageFlags.keyCertSign,
        uses: null,
        names: null,
        hash: "sha1",
      });
      return whole(mint({ issuer }), issuer, root);
    },
  },
  {
    what: "where its leaf is an authority, is valid for too long and may not sign",
    codes: ["KEY_USAGE_WRONG", "LEAF_IS_CA", "VALIDITY_TOO_LONG"],
    policy: { maxValidityMs: 1_000 },
    values: leaf({ ca: true, names: ["inference.local"], keyUsage: KeyUsageFlags.keyAgreement }),
  },
  {
    what: "where its root is not trusted, and its leaf ends soon",
    codes: ["CERTIFICATE_EXPIRES_SOON", "CHAIN_UNTRUSTED"],
    policy: { minRemainingMs: 86_400_000 },
    values: ({ root, intermediate }) =>
      inParts(
        [mint({ issuer: intermediate, until: 0.1 }), intermediate, root],
        [mintAuthority("Another Root")],
      ),
  },
];
