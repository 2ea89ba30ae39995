/** What a put comes to, by what is given and what etcd holds. Pure. */
import type { Digest } from "../core/digest.ts";
import type { Change } from "../source/transaction.ts";
import type { Held } from "./put-held.ts";

/** What is given: it was checked, and is good. */
export interface Offer {
  readonly digest: Digest;
  /** Every key that is to be there afterwards; `meta.json` stays as it is where it is not among them. */
  readonly values: ReadonlyMap<string, Uint8Array>;
  readonly hasLeaf: boolean;
  readonly hasAnchors: boolean;
  readonly hasCrls: boolean;
  /** Whether it is one file, and not in parts. */
  readonly isWhole: boolean;
}

/** What the person agreed to. */
export interface Consent {
  /** `--no-ca`: trust anchors that are there may go. */
  readonly withoutCa: boolean;
  /** `--no-crl`: so may revocation lists. */
  readonly withoutCrl: boolean;
  /** `--force`: the same content is put again. */
  readonly force: boolean;
}

/** Why a good bundle is not put all the same: stable, for scripts. */
type RefusalCode = "LEAF_WOULD_GO" | "ANCHORS_WOULD_GO" | "CRLS_WOULD_GO";

/** What to do. */
export type PutPlan =
  | { readonly kind: "unchanged"; readonly revision: number; readonly keys: readonly string[] }
  | { readonly kind: "refused"; readonly code: RefusalCode; readonly message: string }
  | { readonly kind: "write"; readonly change: Change };

/**
 * Plans the transaction: afterwards etcd holds what was checked, in one shape, and nothing else of the bundle.
 *
 * @param keys Every key that the bundle could have.
 */
export function planPut(keys: readonly string[], offer: Offer, held: Held, consent: Consent): PutPlan {
  const refusal = refusalOf(offer, held, consent);
  if (refusal !== undefined) return refusal;
  const there = new Map(held.material.parts.map(({ part, entry }) => [entry.key, { part, entry }]));
  const isSame = held.digest === offer.digest && !changesMeta(offer, there);
  if (isSame && !consent.force) {
    const content = [...there.values()].filter(({ part }) => part !== "meta.json");
    const revision = Math.max(...content.map(({ entry }) => entry.modRevision));
    return { kind: "unchanged", revision, keys: content.map(({ entry }) => entry.key) };
  }
  const isMeta = (key: string) => key.endsWith("/meta.json");
  const touched = keys.filter((key) => offer.values.has(key) || !isMeta(key));
  const asRead = new Map(touched.map((key) => [key, there.get(key)?.entry.modRevision ?? 0]));
  const deletes = touched.filter((key) => there.has(key) && !offer.values.has(key));
  return { kind: "write", change: { puts: offer.values, deletes, asRead } };
}

/** What services trust, or refuse, never changes by something having been left out. */
function refusalOf(offer: Offer, held: Held, consent: Consent): PutPlan | undefined {
  const { name } = held.material;
  if (!offer.hasLeaf && held.leaf === "yes") {
    const message = `etcd holds a leaf and a key of ${name}, and this is a trust bundle; give --cert and --key too, or delete what is there first`;
    return { kind: "refused", code: "LEAF_WOULD_GO", message };
  }
  const remedy = (flag: string) => (offer.isWhole ? "put them into the file" : `give --${flag}`);
  if (held.anchors !== "no" && !offer.hasAnchors && !consent.withoutCa) {
    const what = held.anchors === "yes" ? "holds" : "holds what cannot be read, and may be";
    const message = `etcd ${what} trust anchors of ${name}, and none are given; ${remedy("ca")}, or give --no-ca to put it without`;
    return { kind: "refused", code: "ANCHORS_WOULD_GO", message };
  }
  if (held.crls === "yes" && !offer.hasCrls && !consent.withoutCrl) {
    const message = `etcd holds revocation lists of ${name}, and none are given; ${remedy("crl")}, or give --no-crl to put it without`;
    return { kind: "refused", code: "CRLS_WOULD_GO", message };
  }
  return undefined;
}

function changesMeta(
  { values }: Offer,
  there: ReadonlyMap<string, { readonly entry: { readonly value: Uint8Array | null } }>,
): boolean {
  return [...values].some(([key, value]) => {
    const held = there.get(key)?.entry.value;
    return key.endsWith("/meta.json") && (!held || Buffer.compare(held, value) !== 0);
  });
}
