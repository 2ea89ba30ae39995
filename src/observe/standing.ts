/** How a bundle stands, the same for the page and for `keyturn status`: what is broken comes first. Pure. */
import { hasExpired } from "./readiness.ts";
import type { BundleStatus } from "./status.ts";

/**
 * `broken`: what is served is wrong, or may be, or nothing is. `attention`: what is on disk is good, and something newer,
 * its end, or a service that is not running wants an eye. `moving`: keyturn is at it. `gone`: nobody wants it any more.
 */
export type Standing = "broken" | "attention" | "moving" | "well" | "gone";

/** From the worst to the best. */
const STANDINGS: readonly Standing[] = ["broken", "attention", "moving", "well", "gone"];

/** What is so of a bundle besides its state; also what the page's search finds it by. */
export type Mark = "expired" | "expiring" | "mismatch" | "drift";

/** What is so of it now. */
export function marksOf(bundle: BundleStatus, now: Date): readonly Mark[] {
  const { served, drift, expiring } = bundle;
  const isExpired = hasExpired(bundle, now);
  const marks: readonly (readonly [Mark, boolean])[] = [
    ["expired", isExpired],
    ["expiring", !isExpired && expiring !== null],
    ["mismatch", served.some(({ matches }) => !matches)],
    ["drift", drift !== null && drift.failure !== null],
  ];
  return marks.flatMap(([mark, isSo]) => (isSo ? [mark] : []));
}

/** How it stands, where these are its marks. */
export function standingOf(bundle: BundleStatus, marks: readonly Mark[]): Standing {
  const { state, live, lastReload } = bundle;
  if (state === "deleted") return "gone";
  if (state === "failed" || marks.includes("expired") || marks.includes("drift")) return "broken";
  // Before a mismatch: while services are told, one that is not there yet is nothing to be alarmed about.
  if (isMoving(bundle)) return "moving";
  // A service that is not running reads what is on disk when it starts.
  const isReadable = live || state === "current";
  if (!isReadable || marks.includes("mismatch")) return "broken";
  const isPending = lastReload?.outcome === "pending";
  return state !== "live" || isPending || marks.length > 0 ? "attention" : "well";
}

function isMoving({ state, overdue, lastReload }: BundleStatus): boolean {
  switch (state) {
    case "checking":
    case "reloading":
      return true;
    case "waiting":
      return !overdue;
    case "current":
      // Found unfinished at start, and told to services now.
      return lastReload?.outcome !== "pending";
    default:
      return false;
  }
}

/** The worst first; in the order they are given in among their like. */
export function worstFirst(bundles: readonly BundleStatus[], now: Date): readonly BundleStatus[] {
  const ranked = bundles.map((bundle) => ({
    bundle,
    rank: rankOf(standingOf(bundle, marksOf(bundle, now))),
  }));
  return ranked.sort((a, b) => a.rank - b.rank).map(({ bundle }) => bundle);
}

/** The worse, the lower. */
export function rankOf(standing: Standing): number {
  return STANDINGS.indexOf(standing);
}
