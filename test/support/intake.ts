/** An intake in front of fakes: snapshots are handed in, and what is offered to the queue is seen. */
import type { Bundle } from "../../src/core/bundle.ts";
import type { DaemonEvent } from "../../src/core/events.ts";
import type { BundleName } from "../../src/core/names.ts";
import type { Entry, SnapshotCause } from "../../src/core/snapshot.ts";
import { Intake, type IntakeOptions } from "../../src/reload/intake.ts";
import { FakeClock, FakeStore } from "./fake-ports.ts";
import { readContents } from "./read-bundle.ts";

export const SETTLE_MS = 2_000;

export function setUpIntake(options: Partial<IntakeOptions> = {}) {
  const [store, clock] = [new FakeStore(), new FakeClock()];
  const events: DaemonEvent[] = [];
  const offered: Bundle[] = [];
  const removed: BundleName[] = [];
  const intake = new Intake(
    {
      prefix: "/certs/",
      include: ["*"],
      exclude: [],
      settleMs: SETTLE_MS,
      onDelete: "keep",
      store,
      queue: {
        offer: (bundle) => offered.push(bundle),
        offerNow: async (bundle) => {
          offered.push(bundle);
          return { kind: "live", generation: store.set(bundle, "live"), warning: null };
        },
        remove: (name) => removed.push(name),
        isBusy: () => false,
      },
      examine: async (contents) => readContents(contents),
      read: async (contents) => {
        const found = readContents(contents);
        return found.ok ? found.bundle : null;
      },
      clock,
      report: (event) => events.push(event),
      ...options,
    },
    new AbortController().signal,
  );
  const entries = new Map<string, Entry>();
  let revision = 1;
  /** Hands in a snapshot in which these keys changed; null deletes. */
  const change = (values: Readonly<Record<string, string | null>>, cause: SnapshotCause = "watch") => {
    revision++;
    for (const [key, text] of Object.entries(values)) {
      const value = Buffer.from(text ?? "");
      if (text === null) entries.delete(key);
      else entries.set(key, { key, value, bytes: value.length, modRevision: revision });
    }
    return intake.take({ revision, cause, entries, changed: new Set(Object.keys(values)) });
  };
  const seen = (type: DaemonEvent["type"]) => events.filter((event) => event.type === type);
  return { intake, store, clock, events, offered, removed, change, seen };
}
