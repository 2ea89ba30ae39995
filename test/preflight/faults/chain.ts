/** Chains, and what revocation lists say of them. */
import { KeyUsageFlags } from "@peculiar/x509";
import { sequence, tlv } from "../../support/asn1.ts";
import { inParts, type Values, whole } from "../../support/examine.ts";
import { ecKey, type Minted, mint, mintAuthority, mintCrl } from "../../support/mint.ts";
import { extensionOf } from "../../support/mint-extensions.ts";
import type { Fault } from "./fault.ts";
import { under, underRoot } from "./leaf.ts";

/** Tags of the two kinds of name constraints (RFC 5280 §4.2.1.10). */
export const PERMITTED = 0xa0;
const EXCLUDED = 0xa1;

const PATHS: readonly Fault[] = [
  {
    what: "where its intermediate is missing",
    codes: ["CHAIN_INCOMPLETE"],
    values: ({ root, intermediate }) => whole(mint({ issuer: intermediate }), root),
  },
  {
    what: "where one of two intermediates is missing",
    codes: ["CHAIN_INCOMPLETE"],
    values: ({ root, intermediate }) => {
      const deeper = mintAuthority("Deeper", { issuer: intermediate });
      return whole(mint({ issuer: deeper }), deeper, root);
    },
  },
  {
    what: "where its root is another one",
    codes: ["CHAIN_INCOMPLETE"],
    values: ({ intermediate }) =>
      whole(mint({ issuer: intermediate }), intermediate, mintAuthority("Another Root")),
  },
  {
    what: "where its root is another one of the same name",
    codes: ["CHAIN_UNTRUSTED"],
    values: ({ intermediate }) => whole(mint({ issuer: intermediate }), intermediate, mintAuthority("Root")),
  },
  {
    what: "where its root came along and is not trusted",
    codes: ["CHAIN_UNTRUSTED"],
    values: ({ root, intermediate }) =>
      inParts([mint({ issuer: intermediate }), intermediate, root], [mintAuthority("Another Root")]),
  },
  {
    what: "where its leaf signed itself and is not trusted",
    codes: ["CHAIN_UNTRUSTED"],
    values: ({ root }) => inParts([mint()], [root]),
  },
  {
    what: "where its trust anchor is an intermediate",
    codes: ["CHAIN_INCOMPLETE"],
    values: ({ intermediate }) => inParts([mint({ issuer: intermediate })], [intermediate]),
  },
  { what: "where its intermediate is a leaf", codes: ["ISSUER_NOT_CA"], values: under(asLeaf(false)) },
  {
    what: "where its intermediate does not say that it is an authority",
    codes: ["ISSUER_NOT_CA"],
    values: under(asLeaf(null)),
  },
  { what: "where its root is a leaf", codes: ["ISSUER_NOT_CA"], values: underRoot(asLeaf(false)) },
  {
    what: "where there are more intermediates than one of them allows",
    codes: ["PATH_TOO_LONG"],
    values: ({ root }) => {
      const upper = mintAuthority("Upper", { issuer: root, ca: 0 });
      const lower = mintAuthority("Lower", { issuer: upper });
      return whole(mint({ issuer: lower }), lower, upper, root);
    },
  },
  {
    what: "where there are more intermediates than its root allows",
    codes: ["PATH_TOO_LONG"],
    values: () => {
      const root = mintAuthority("Short Root", { ca: 0 });
      const issuer = mintAuthority("Too Deep", { issuer: root });
      return whole(mint({ issuer }), issuer, root);
    },
  },
  {
    what: "where its leaf names another key of its issuer",
    codes: ["AUTHORITY_KEY_MISMATCH"],
    values: ({ root }) => whole(mint({ issuer: root, authority: "0x0102030405" }), root),
  },
  {
    what: "where its intermediate names another key of the root",
    codes: ["AUTHORITY_KEY_MISMATCH"],
    values: under({ authority: "0x0102030405" }),
  },
  {
    what: "where its root was renewed, and its leaf names the serial number of the old one",
    codes: ["AUTHORITY_KEY_MISMATCH"],
    values: () => {
      const key = ecKey();
      const old = mintAuthority("Renewed Root", { key });
      return whole(mint({ issuer: old, authority: "serial" }), mintAuthority("Renewed Root", { key }));
    },
  },
  {
    what: "where the signature of its leaf is damaged",
    codes: ["SIGNATURE_INVALID"],
    values: ({ root, intermediate }) =>
      whole(mint({ issuer: intermediate, isDamaged: true }), intermediate, root),
  },
  {
    what: "where the signature of its intermediate is damaged",
    codes: ["SIGNATURE_INVALID"],
    values: under({ isDamaged: true }),
  },
  {
    what: "where another signed it in the name and with the key identifier of its issuer",
    codes: ["SIGNATURE_INVALID"],
    values: ({ root }) => whole(mint({ issuer: root, signer: ecKey() }), root),
  },
  {
    what: "where OpenSSL takes the first of two roots of one name, and the leaf does not say which it means",
    codes: ["SIGNATURE_INVALID"],
    values: () => {
      const [old, next] = [mintAuthority("Twin"), mintAuthority("Twin")];
      return whole(mint({ issuer: next, authority: "none" }), old, next);
    },
  },
  {
    what: "where its intermediate may issue for other names only",
    codes: ["NAME_CONSTRAINT_VIOLATED"],
    values: under({ extra: [constraintOf(PERMITTED, "elsewhere.local")] }),
  },
  {
    what: "where its intermediate may not issue for its name",
    codes: ["NAME_CONSTRAINT_VIOLATED"],
    values: under({ extra: [constraintOf(EXCLUDED, "inference.local")] }),
  },
];

const REVOCATION: readonly Fault[] = [
  {
    what: "where its leaf is revoked",
    codes: ["CERTIFICATE_REVOKED"],
    values: listed(({ leaf, root, intermediate }) => [
      mintCrl({ issuer: root }),
      mintCrl({ issuer: intermediate, revoked: [leaf] }),
    ]),
  },
  {
    what: "where its intermediate is revoked",
    codes: ["CERTIFICATE_REVOKED"],
    values: listed(({ root, intermediate }) => [
      mintCrl({ issuer: root, revoked: [intermediate] }),
      mintCrl({ issuer: intermediate }),
    ]),
  },
  {
    what: "where its root has no revocation list",
    codes: ["CRL_MISSING"],
    values: listed(({ intermediate }) => [mintCrl({ issuer: intermediate })]),
  },
  {
    what: "where its intermediate has no revocation list",
    codes: ["CRL_MISSING"],
    values: listed(({ root }) => [mintCrl({ issuer: root })]),
  },
  {
    what: "where its revocation lists are of another key of its intermediate",
    codes: ["CRL_MISSING"],
    values: listed(({ root, intermediate }) => [
      mintCrl({ issuer: root }),
      mintCrl({ issuer: intermediate, keyId: "0102030405" }),
    ]),
  },
  {
    what: "where a revocation list has expired",
    codes: ["CRL_EXPIRED"],
    values: listed(({ root, intermediate }) => [
      mintCrl({ issuer: root, from: -9, until: -1 }),
      mintCrl({ issuer: intermediate }),
    ]),
  },
  {
    what: "where a revocation list is of tomorrow",
    codes: ["CRL_NOT_YET_VALID"],
    values: listed(({ root, intermediate }) => [
      mintCrl({ issuer: root }),
      mintCrl({ issuer: intermediate, from: 1 }),
    ]),
  },
  {
    what: "where a revocation list is forged",
    codes: ["CRL_INVALID"],
    values: listed(({ root, intermediate }) => [
      mintCrl({ issuer: root }),
      mintCrl({ issuer: intermediate, signer: ecKey() }),
    ]),
  },
  {
    what: "where its intermediate may not sign revocation lists",
    codes: ["CRL_INVALID"],
    values: ({ root }) => {
      const issuer = mintAuthority("No Lists", { issuer: root, keyUsage: KeyUsageFlags.keyCertSign });
      return whole(mint({ issuer }), issuer, root, mintCrl({ issuer: root }), mintCrl({ issuer }));
    },
  },
];

const TRUST: readonly Fault[] = [
  {
    what: "where it has trust anchors alone, and all have expired",
    codes: ["CERTIFICATE_EXPIRED"],
    values: () =>
      anchors(mintAuthority("A", { from: -9, until: -1 }), mintAuthority("B", { from: -9, until: -2 })),
  },
  {
    what: "where it has trust anchors alone, and one is cut off",
    codes: ["CERTIFICATE_UNREADABLE"],
    values: ({ root }) => ({ "/ca.crt": root.pem + mintAuthority("A").pem.replace(/\n[^\n]{64}\n/, "\n") }),
  },
  {
    what: "where it has trust anchors alone, and a forged revocation list of one",
    codes: ["CRL_INVALID"],
    values: ({ root }) => ({ ...anchors(root), "/ca.crl": mintCrl({ issuer: root, signer: ecKey() }) }),
  },
  {
    what: "where it has trust anchors alone, and a revocation list of one of two",
    codes: ["CRL_MISSING"],
    values: ({ root }) => ({ ...anchors(root, mintAuthority("A")), "/ca.crl": mintCrl({ issuer: root }) }),
  },
  {
    what: "where it has trust anchors alone, and an old revocation list",
    codes: ["CRL_EXPIRED"],
    values: ({ root }) => ({ ...anchors(root), "/ca.crl": mintCrl({ issuer: root, from: -9, until: -1 }) }),
  },
];

export const CHAIN_FAULTS: readonly Fault[] = [...PATHS, ...REVOCATION, ...TRUST];

/** An authority that may sign certificates, and has the basic constraints of a leaf. */
function asLeaf(ca: false | null) {
  return { ca, keyUsage: ca === null ? null : KeyUsageFlags.keyCertSign, uses: null, names: null };
}

/** Name constraints for one DNS name. */
export function constraintOf(tag: number, name: string): Buffer {
  const subtree = sequence(tlv(0x82, Buffer.from(name)));
  return extensionOf("2.5.29.30", sequence(tlv(tag, subtree)), true);
}

interface Listed {
  readonly leaf: Minted;
  readonly root: Minted;
  readonly intermediate: Minted;
}

/** A good chain with revocation lists. */
export function listed(listsOf: (chain: Listed) => readonly string[]): Fault["values"] {
  return ({ root, intermediate }) => {
    const leaf = mint({ issuer: intermediate });
    return whole(leaf, intermediate, root, ...listsOf({ leaf, root, intermediate }));
  };
}

function anchors(...all: readonly Minted[]): Values {
  return { "/ca.crt": all.map(({ pem }) => pem).join("") };
}
