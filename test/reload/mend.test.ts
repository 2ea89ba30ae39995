/** Before services are told again: what was written earlier may be gone by then. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Digest } from "../../src/core/digest.ts";
import type { DaemonEvent } from "../../src/core/events.ts";
import type { BundleName } from "../../src/core/names.ts";
import type { Service } from "../../src/reload/ports.ts";
import { reload } from "../../src/reload/reload.ts";
import type { Work } from "../../src/reload/work.ts";
import { FakeClock, FakeStore, fakeBundle, fakeService } from "../support/fake-ports.ts";

const GONE = { message: "tls.key is missing", misleads: true };
const OPEN_TO_ALL = { message: "tls.key has mode 0644", misleads: false };

interface Job {
  readonly name: BundleName;
  readonly digest: Digest;
  readonly told: Set<string>;
}

/** What tells services of a generation that is on disk already. */
const AGAIN: readonly (readonly [string, (job: Job) => Work])[] = [
  [
    "a retry",
    (job) => ({ ...job, kind: "rotate", bundle: fakeBundle(), reason: "retried", asked: new Set() }),
  ],
  ["a restart", (job) => ({ ...job, kind: "rotate", bundle: null, reason: "retried", asked: null })],
  ["a way back that goes on", (job) => ({ ...job, kind: "remind", reason: "rolledBack", insists: true })],
  ["a reminder", (job) => ({ ...job, kind: "remind", reason: "repaired", insists: false })],
];

function setUp(services: readonly Service[], workOf: (job: Job) => Work, told: readonly string[] = []) {
  const [store, bundle] = [new FakeStore(), fakeBundle()];
  const { name, digest } = store.set(bundle, "current");
  const events: DaemonEvent[] = [];
  const tools = {
    store,
    upkeep: store,
    services,
    clock: new FakeClock(),
    report: (event: DaemonEvent) => events.push(event),
    contentOf: async () => bundle,
  };
  const work = workOf({ name, digest, told: new Set(told) });
  const run = () => reload(work, tools, new AbortController().signal);
  const drifts = () => events.filter((event) => event.type === "bundle.drifted");
  return { store, run, drifts };
}

for (const [what, workOf] of AGAIN) {
  describe(what, () => {
    it("puts files right before a service is told of them", async () => {
      let there: boolean | undefined;
      const service = fakeService("vllm", () => {
        there = store.findings.length === 0;
        return { kind: "done" };
      });
      const { store, run, drifts } = setUp([service], workOf);
      store.findings = [GONE];

      const { outcome } = await run();

      assert.deepEqual([outcome.kind, there, service.notices.length], ["live", true, 1]);
      assert.deepEqual(
        drifts().map(({ findings, failure }) => [findings, failure]),
        [[[GONE.message], null]],
      );
    });

    it("tells nobody of files that are gone and cannot be had again, and is tried again or looked at again", async () => {
      const service = fakeService("vllm");
      const { store, run, drifts } = setUp([service], workOf);
      store.findings = [GONE];
      store.failNext = "repair";

      const { outcome } = await run();

      assert.deepEqual([outcome.kind, service.notices.length], ["failed", 0]);
      assert.equal(drifts()[0]?.failure, "cannot repair: the disk is full");
      assert.equal((await run()).outcome.kind, "live");
    });

    it("tells those that know the generation too, where they may have read something wrong", async () => {
      const [knows, behind] = [fakeService("knows"), fakeService("behind")];
      const { store, run } = setUp([knows, behind], workOf, ["knows"]);
      store.findings = [GONE];

      await run();

      assert.deepEqual([knows.notices.length, behind.notices.length], [1, 1]);
    });

    it("goes on where what cannot be put right misleads nobody", async () => {
      const [knows, behind] = [fakeService("knows"), fakeService("behind")];
      const { store, run, drifts } = setUp([knows, behind], workOf, ["knows"]);
      store.findings = [OPEN_TO_ALL];
      store.failNext = "repair";

      const { outcome } = await run();

      assert.equal(outcome.kind, "live");
      assert.deepEqual([knows.notices.length, behind.notices.length, drifts().length], [0, 1, 1]);
    });
  });
}
