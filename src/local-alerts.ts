/** Alerts on this node: the desk of `alerts/`, told what there is to know of a bundle, and what it may have done. */
import type { BundleFacts } from "./alerts/decide.ts";
import { AlertDesk } from "./alerts/desk.ts";
import type { Config } from "./config/schema.ts";
import type { Report } from "./core/events.ts";
import type { Generation, GenerationId } from "./core/generation.ts";
import type { Engine } from "./engine.ts";
import type { StatusBoard } from "./observe/board.ts";
import type { BundleState, BundleStatus } from "./observe/status.ts";
import type { Clock } from "./runtime/clock.ts";
import { haveSameContent } from "./store/layout.ts";

/** What the desk is wired to. */
interface DeskWires {
  readonly config: () => Config;
  readonly board: StatusBoard;
  /** Undefined while a configuration is read. */
  readonly engine: () => Engine | undefined;
  /** @throws KeyturnError NOTHING_TO_DO while there is none. */
  readonly running: () => Engine;
  readonly clock: Clock;
  readonly report: Report;
}

/** Makes the desk; it goes by the configuration that is in force at the time. */
export function createAlertDesk({ config, board, engine, running, clock, report }: DeskWires): AlertDesk {
  return new AlertDesk({
    settings: () => {
      const { alerts, node } = config();
      return { ...alerts, nodeNames: alerts.nodeNames.length > 0 ? alerts.nodeNames : [node] };
    },
    factsOf: (name) => {
      const bundle = board.bundle(name);
      return bundle && alertFactsOf(bundle, engine()?.history(name) ?? [], engine()?.previous(name));
    },
    act: async (action, name, why) => {
      if (action === "retry") return running().retry(name);
      const outcome = await running().rollBack(name, null, { cause: "alert", why });
      return { kind: "reloaded", outcome };
    },
    now: clock.now,
    monotonicMs: clock.monotonicMs,
    report,
  });
}

/** States of content that is on its way. */
const TURNING: readonly BundleState[] = ["checking", "waiting", "reloading"];

/**
 * The facts. Content counts as rotated when it was written, just before the first service could have it: what fires
 * while others are still told is about it too. Content that is on disk more than once, because it came again or was
 * repaired, counts from the first time: it is old content, and no alert is about its rotation.
 *
 * @param history Generations of the bundle on disk.
 * @param earlier The one of them that it would go back to.
 */
export function alertFactsOf(
  { state, generation, quarantine }: BundleStatus,
  history: readonly Generation[],
  earlier: Generation | undefined,
): BundleFacts {
  const same = history.filter(({ digest }) => digest === generation?.digest);
  const times = same.flatMap(({ state: known, stagedAt }) =>
    known === "rolledBack" ? [] : [Date.parse(stagedAt)],
  );
  const setAside = history.filter(({ rollback }) => rollback?.quarantined);
  const isCurrent = (to: GenerationId) => generation !== null && haveSameContent(to, generation.id);
  return {
    isTurning: TURNING.includes(state),
    rotatedAt: times.length === 0 ? null : new Date(Math.min(...times)),
    wasPutBack: setAside.some(({ rollback }) => rollback !== null && isCurrent(rollback.to)),
    earlierUntil: earlier?.leaf ? new Date(earlier.leaf.notAfter) : null,
    setAsideBy: setAside.findLast(({ digest }) => digest === quarantine?.digest)?.rollback?.cause ?? null,
  };
}
