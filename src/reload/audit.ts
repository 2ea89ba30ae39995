/** Compares what is on disk with what was written, over and over, and has put right what differs. */
import { KeyturnError, messageOf } from "../core/errors.ts";
import type { Report } from "../core/events.ts";
import type { BundleName } from "../core/names.ts";
import { type Clock, yieldToOthers } from "../runtime/clock.ts";
import type { Store, Upkeep } from "./ports.ts";
import type { ReloadQueue } from "./queue.ts";

/** What the audit works with. */
export interface AuditOptions {
  readonly everyMs: number;
  readonly store: Pick<Store, "names">;
  readonly upkeep: Pick<Upkeep, "holdFolder" | "audit">;
  readonly queue: Pick<ReloadQueue, "isBusy" | "repair">;
  readonly clock: Clock;
  readonly report: Report;
}

/**
 * Looks at once, and then after every `everyMs`, until the signal. A bundle that is being reloaded is left alone.
 *
 * @throws KeyturnError STORE_LOCKED where the folder was removed, and another keyturn works in a new one.
 */
export async function auditRegularly(options: AuditOptions, signal: AbortSignal): Promise<void> {
  const { everyMs, store, upkeep, clock } = options;
  while (!signal.aborted) {
    await holdFolder(upkeep);
    for (const name of store.names()) {
      await auditBundle(name, options);
      await yieldToOthers();
      if (signal.aborted) return;
    }
    await clock.sleep(everyMs, signal).catch((thrown: unknown) => {
      if (!signal.aborted) throw thrown;
    });
  }
}

/** Why else it cannot be had is said of each bundle that is missing in it. */
async function holdFolder(upkeep: Pick<Upkeep, "holdFolder">): Promise<void> {
  try {
    await upkeep.holdFolder();
  } catch (thrown) {
    if (thrown instanceof KeyturnError && thrown.code === "STORE_LOCKED") throw thrown;
  }
}

async function auditBundle(name: BundleName, { upkeep, queue, report }: AuditOptions): Promise<void> {
  if (queue.isBusy(name)) return;
  try {
    const findings = await upkeep.audit(name);
    // A reload that began meanwhile changes files for good reason; the repair looks again, in its turn.
    if (findings.length > 0) queue.repair(name);
  } catch (thrown) {
    const failure = messageOf(thrown);
    report({ type: "bundle.drifted", bundle: name, findings: [], failure });
  }
}
