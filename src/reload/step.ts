/** What the parts of a reload have in common: their tools, how they are run, and how a generation becomes live. */
import type { Bundle } from "../core/bundle.ts";
import type { Digest } from "../core/digest.ts";
import { messageOf } from "../core/errors.ts";
import type { Report } from "../core/events.ts";
import type { Generation } from "../core/generation.ts";
import type { BundleName } from "../core/names.ts";
import type { ReloadOutcome } from "../core/outcome.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Service, Store, Upkeep } from "./ports.ts";
import type { Work } from "./work.ts";

/** What a reload works with. */
export interface ReloadTools {
  readonly store: Store;
  readonly upkeep: Upkeep;
  readonly services: readonly Service[];
  readonly clock: Clock;
  readonly report: Report;
  /** What etcd holds of the bundle, where that is the content of this digest; else null. */
  readonly contentOf: (name: BundleName, digest: Digest, signal: AbortSignal) => Promise<Bundle | null>;
}

/** Runs one step under its name, so that its time is known; not after the signal. */
export type Timed = <T>(step: string, task: () => Promise<T>) => Promise<T>;

/** A reload that runs. */
export interface Run {
  readonly timed: Timed;
  readonly signal: AbortSignal;
  /** From here on a failure leaves this generation current. */
  readonly becameCurrent: (generation: Generation) => void;
  /** From here on a failure is tried again by this; null for not at all. */
  readonly tryAgain: (work: Work | null) => void;
}

/** From here on the same content does nothing. Old generations go last; one that stays does no harm. */
export async function becomeLive(
  current: Generation,
  { store }: ReloadTools,
  { timed }: Run,
): Promise<ReloadOutcome> {
  const live = current.state === "live" ? current : await timed("record", () => store.recordLive(current));
  const warning = await timed("prune", () => prune(store, current.name));
  return { kind: "live", generation: live, warning };
}

async function prune(store: Store, name: BundleName): Promise<string | null> {
  try {
    await store.prune(name);
    return null;
  } catch (thrown) {
    return messageOf(thrown);
  }
}
