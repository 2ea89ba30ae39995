import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DaemonEvent } from "../../src/core/events.ts";
import type { Generation } from "../../src/core/generation.ts";
import type { ServiceAnswer } from "../../src/core/service.ts";
import type { Service } from "../../src/reload/ports.ts";
import { ReloadQueue } from "../../src/reload/queue.ts";
import { FakeClock, FakeStore, fakeBundle, fakeService, gate } from "../support/fake-ports.ts";
import { until } from "../support/wait.ts";

function setUp(services: readonly Service[], options: { concurrency?: number; splayMs?: number } = {}) {
  const [store, clock] = [new FakeStore(), new FakeClock()];
  const events: DaemonEvent[] = [];
  const report = (event: DaemonEvent) => events.push(event);
  const contentOf = async () => null;
  const tools = { store, upkeep: store, clock, services, report, contentOf };
  const queue = new ReloadQueue({ ...tools, concurrency: 1, splayMs: 0, ...options });
  const outcomes = () =>
    events.flatMap((event) => (event.type === "reload.finished" ? [[event.bundle, event.outcome.kind]] : []));
  return { store, clock, queue, outcomes, events };
}

const never = new AbortController().signal;

describe("the reload queue", () => {
  it("keeps only the newest of what came during a reload", async () => {
    const first = gate<ServiceAnswer>();
    const service = fakeService("vllm", ({ generation }) =>
      generation.id.startsWith("000001") ? first.promise : { kind: "done" },
    );
    const { queue, store, outcomes } = setUp([service]);
    const bundles = Array.from({ length: 5 }, () => fakeBundle());

    for (const bundle of bundles.slice(0, 1)) queue.offer(bundle);
    await until("the first is told", () => service.notices.length === 1);
    for (const bundle of bundles.slice(1)) queue.offer(bundle);
    first.open({ kind: "done" });
    await until("the newest is live", () => store.current(bundles[4]?.name as never)?.state === "live");

    assert.equal(store.current(bundles[4]?.name as never)?.digest, bundles[4]?.digest);
    assert.equal(service.notices.length, 2);
    assert.deepEqual(outcomes(), [
      ["mesh", "interrupted"],
      ["mesh", "live"],
    ]);
  });

  it("aborts the retry loop of older content at once", async () => {
    const service = fakeService("vllm", async (notice, signal) => {
      if (!notice.generation.id.startsWith("000001")) return { kind: "done" };
      await new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
      });
      return { kind: "failed", message: "unreached" };
    });
    const { queue, store } = setUp([service]);
    const [older, newer] = [fakeBundle(), fakeBundle()];
    queue.offer(older);
    await until("the older is told", () => service.notices.length === 1);

    queue.offer(newer);
    await until("the newer is live", () => store.current(newer.name)?.state === "live");

    assert.equal(store.current(newer.name)?.digest, newer.digest);
  });

  it("lets a running reload go on when the same content comes again", async () => {
    const answer = gate<ServiceAnswer>();
    const service = fakeService("vllm", () => answer.promise);
    const { queue, outcomes } = setUp([service]);
    const bundle = fakeBundle();
    queue.offer(bundle);
    await until("it is told", () => service.notices.length === 1);

    queue.offer(bundle);
    answer.open({ kind: "done" });
    await until("it has ended", () => outcomes().length === 1);

    assert.deepEqual(outcomes(), [["mesh", "live"]]);
    assert.equal(service.notices.length, 1);
    assert.equal(queue.isBusy(bundle.name), false);
  });

  it("goes back to content whose reload was broken off for other content that is gone again", async () => {
    const service = fakeService("vllm", async (notice, signal) => {
      if (notice.generation.id.startsWith("000001") && service.notices.length === 1) {
        await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      }
      return { kind: "done" };
    });
    const { queue, store } = setUp([service]);
    const [a, b] = [fakeBundle(), fakeBundle()];
    queue.offer(a);
    await until("it is told", () => service.notices.length === 1);

    queue.offer(b);
    queue.offer(a);
    await until("it is live", () => store.current(a.name)?.state === "live");

    assert.equal(store.current(a.name)?.digest, a.digest);
    assert.equal(queue.isBusy(a.name), false);
  });

  it("never runs two reloads of one bundle at a time, however many places there are", async () => {
    let [now, most] = [0, 0];
    const service = fakeService("vllm", async () => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setImmediate(resolve));
      now--;
      return { kind: "done" };
    });
    const { queue, store } = setUp([service], { concurrency: 8 });

    let last = fakeBundle();
    for (let i = 0; i < 200; i++) {
      last = fakeBundle();
      queue.offer(last);
      if (i % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await until("the last is live", () => {
      const current = store.current(last.name);
      return current?.digest === last.digest && current.state === "live";
    });

    assert.equal(most, 1);
  });

  it("reloads as many bundles at a time as it has places", async () => {
    const answer = gate<ServiceAnswer>();
    const service = fakeService("vllm", () => answer.promise);
    const { queue, outcomes } = setUp([service], { concurrency: 2 });

    for (const name of ["a", "b", "c"]) queue.offer(fakeBundle(name));
    await until("two are told", () => service.notices.length === 2);
    answer.open({ kind: "done" });
    await until("all have ended", () => outcomes().length === 3);

    assert.equal(service.notices.length, 3);
  });

  it("tries again what failed, later, until it is live", async () => {
    let failures = 3;
    const service = fakeService("vllm", () =>
      failures-- > 0 ? { kind: "busy", message: "not now" } : { kind: "done" },
    );
    const { queue, clock, outcomes, store } = setUp([service]);
    const bundle = fakeBundle();

    queue.offer(bundle);
    for (let failed = 1; failed <= 3; failed++) {
      await until("it failed", () => outcomes().length === failed);
      clock.advance(30_000);
    }
    await until("it is live", () => store.current(bundle.name)?.state === "live");

    assert.deepEqual(
      outcomes().map(([, kind]) => kind),
      ["failed", "failed", "failed", "live"],
    );
    assert.deepEqual(
      service.notices.map(({ reason }) => reason),
      ["rotated", "retried", "retried", "retried"],
    );
    assert.deepEqual(
      store.done.filter((step) => step === "stage"),
      ["stage"],
    );
  });

  it("gives up waiting to retry when newer content comes", async () => {
    let fail = true;
    const service = fakeService("vllm", () => (fail ? { kind: "busy", message: "no" } : { kind: "done" }));
    const { queue, clock, outcomes, store } = setUp([service]);
    const [older, newer] = [fakeBundle(), fakeBundle()];
    queue.offer(older);
    await until("it waits", () => outcomes().length === 1 && clock.sleeping === 1);

    fail = false;
    queue.offer(newer);
    await until("the newer is live", () => store.current(newer.name)?.state === "live");

    assert.equal(clock.sleeping, 0);
    assert.equal(store.current(newer.name)?.digest, newer.digest);
  });

  it("waits up to the splay, and takes the newest content after it", async () => {
    const service = fakeService("vllm");
    const { queue, clock, store } = setUp([service], { splayMs: 60_000 });
    const [older, newer] = [fakeBundle(), fakeBundle()];

    queue.offer(older);
    queue.offer(newer);
    assert.equal(clock.sleeping, 1);
    clock.advance(60_000);
    await until("it is live", () => store.current(newer.name)?.state === "live");

    assert.deepEqual(
      service.notices.map(({ generation }) => generation.digest),
      [newer.digest],
    );
  });

  it("does nothing after the splay where what is live was put again meanwhile", async () => {
    const service = fakeService("vllm");
    const { queue, clock, store, outcomes } = setUp([service], { splayMs: 60_000 });
    const [live, newer] = [fakeBundle(), fakeBundle()];
    store.set(live, "live");

    queue.offer(newer);
    queue.offer(live);
    clock.advance(60_000);
    await until("it has ended", () => outcomes().length === 1);

    assert.deepEqual(outcomes(), [["mesh", "unchanged"]]);
    assert.deepEqual(service.notices, []);
  });

  it("finishes after a start what was current and not live", async () => {
    const service = fakeService("vllm");
    const { queue, store } = setUp([service]);
    const bundle = fakeBundle();
    store.set(bundle, "current");

    queue.resume(store.current(bundle.name) as Generation, false);
    await until("it is live", () => store.current(bundle.name)?.state === "live");

    assert.equal(service.notices[0]?.reason, "retried");
  });

  it("takes a bundle from disk after what is running, unless newer content comes", async () => {
    const answer = gate<ServiceAnswer>();
    const service = fakeService("vllm", () => answer.promise);
    const { queue, store, events } = setUp([service]);
    const [bundle, newer] = [fakeBundle(), fakeBundle()];
    queue.offer(bundle);
    await until("it is told", () => service.notices.length === 1);

    queue.remove(bundle.name);
    queue.offer(newer);
    answer.open({ kind: "done" });
    await until("the newer is live", () => store.current(newer.name)?.state === "live");
    assert.ok(!store.done.includes("remove"));
    queue.remove(bundle.name);
    await until("it is removed", () => store.current(newer.name) === undefined);

    const deleted = events.filter(({ type }) => type === "bundle.deleted");
    assert.deepEqual(deleted, [{ type: "bundle.deleted", bundle: "mesh", removed: true, failure: null }]);
  });

  it("says what stays where a bundle is taken from disk and its folder holds something else", async () => {
    const { queue, store, events } = setUp([]);
    const bundle = fakeBundle();
    store.set(bundle, "live");
    store.foreign = ["README"];

    queue.remove(bundle.name);
    const event = await until("it is removed", () => events.find(({ type }) => type === "bundle.deleted"));

    const type = "bundle.deleted";
    assert.deepEqual(event, { type, bundle: "mesh", removed: true, failure: null, kept: ["README"] });
  });

  it("says so where a bundle cannot be taken from disk", async () => {
    const { queue, store, events } = setUp([]);
    const bundle = fakeBundle();
    store.set(bundle, "live");
    store.failNext = "remove";

    queue.remove(bundle.name);
    const event = await until("it failed", () => events.find(({ type }) => type === "bundle.deleted"));

    assert.deepEqual(event, {
      type: "bundle.deleted",
      bundle: "mesh",
      removed: false,
      failure: "cannot remove: the disk is full",
    });
  });

  it("tries again to take a bundle from disk", async () => {
    const { queue, store, clock } = setUp([]);
    const bundle = fakeBundle();
    store.set(bundle, "live");
    store.failNext = "remove";

    queue.remove(bundle.name);
    await until("it waits", () => clock.sleeping === 1);
    clock.advance(30_000);

    await until("it is gone", () => store.current(bundle.name) === undefined);
  });

  it("waits at a close for what is running, takes nothing new, and drops what waits", async () => {
    const answer = gate<ServiceAnswer>();
    const service = fakeService("vllm", () => answer.promise);
    const { queue, outcomes } = setUp([service]);
    queue.offer(fakeBundle("a"));
    queue.offer(fakeBundle("b"));
    await until("the first is told", () => service.notices.length === 1);

    const closed = queue.close(never);
    queue.offer(fakeBundle("c"));
    answer.open({ kind: "done" });
    await closed;

    assert.deepEqual(outcomes(), [["a", "live"]]);
  });

  it("breaks off at a close what does not end in time", async () => {
    const service = fakeService(
      "vllm",
      (_notice, signal) =>
        new Promise((_, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
        }),
    );
    const { queue, outcomes } = setUp([service]);
    queue.offer(fakeBundle());
    await until("it is told", () => service.notices.length === 1);

    await queue.close(AbortSignal.abort());

    assert.deepEqual(outcomes(), [["mesh", "interrupted"]]);
  });
});
