import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DaemonEvent } from "../../src/core/events.ts";
import type { GenerationId } from "../../src/core/generation.ts";
import type { ServiceAnswer } from "../../src/core/service.ts";
import type { Service } from "../../src/reload/ports.ts";
import { ReloadQueue } from "../../src/reload/queue.ts";
import { FakeClock, FakeStore, fakeBundle, fakeService, gate } from "../support/fake-ports.ts";
import { until } from "../support/wait.ts";

function setUp(services: readonly Service[]) {
  const [store, clock] = [new FakeStore(), new FakeClock()];
  const events: DaemonEvent[] = [];
  const report = (event: DaemonEvent) => events.push(event);
  const contentOf = async () => null;
  const queue = new ReloadQueue({
    store,
    upkeep: store,
    clock,
    services,
    report,
    contentOf,
    concurrency: 1,
    splayMs: 0,
  });
  const outcomes = () =>
    events.flatMap((event) => (event.type === "reload.finished" ? [event.outcome.kind] : []));
  const ended = (count: number) => until(`${count} have ended`, () => outcomes().length >= count);
  return { store, clock, queue, outcomes, events, ended };
}

/** A service that takes every generation but those with this digest, and remembers in which order it was told. */
function refusing(name: string, digest: string, order: string[], stage = 1): Service {
  return fakeService(
    name,
    ({ generation, reason }) => {
      order.push(`${name} ${reason}`);
      const refuses = generation.digest === digest;
      return refuses ? { kind: "failed", message: `${name} answered 422` } : { kind: "done" };
    },
    stage,
  );
}

describe("the way back", () => {
  it("puts the previous generation back, tells in reverse, and sets the content aside", async () => {
    const [good, bad] = [fakeBundle(), fakeBundle()];
    const order: string[] = [];
    const { store, queue, events, ended, outcomes } = setUp([
      refusing("first", "", order, 1),
      refusing("second", bad.digest, order, 2),
      refusing("third", "", order, 3),
    ]);
    store.set(good, "live");

    queue.offer(bad);
    await ended(1);

    assert.deepEqual(outcomes(), ["rolledBack"]);
    assert.deepEqual(order, ["first rotated", "second rotated", "second rolledBack", "first rolledBack"]);
    const current = store.current(good.name);
    assert.deepEqual([current?.digest, current?.state], [good.digest, "live"]);
    assert.ok(store.quarantined(bad.name, bad.digest));
    assert.ok(events.some(({ type }) => type === "rollback.started"));
    assert.deepEqual(store.done, ["stage", "activate", "rollBack", "recordLive"]);
    assert.equal(queue.isBusy(good.name), false);
  });

  it("is taken where a service answers and then serves something else", async () => {
    const [good, bad] = [fakeBundle(), fakeBundle()];
    const service: Service = {
      ...fakeService("vllm"),
      verify: async ({ digest }) =>
        digest === bad.digest ? { kind: "failed", message: "it serves the old one" } : { kind: "done" },
      serves: async () => false,
    };
    const { store, queue, ended, outcomes } = setUp([service]);
    store.set(good, "live");

    queue.offer(bad);
    await ended(1);

    assert.deepEqual(outcomes(), ["rolledBack"]);
    assert.equal(store.current(good.name)?.digest, good.digest);
  });

  it("is not taken where a service is only busy: it is told again", async () => {
    let busy = true;
    const service = fakeService("vllm", () => (busy ? { kind: "busy", message: "503" } : { kind: "done" }));
    const { store, queue, clock, ended, outcomes } = setUp([service]);
    store.set(fakeBundle(), "live");
    const bundle = fakeBundle();

    queue.offer(bundle);
    await ended(1);
    busy = false;
    clock.advance(30_000);
    await ended(2);

    assert.deepEqual(outcomes(), ["failed", "live"]);
    assert.equal(store.current(bundle.name)?.digest, bundle.digest);
  });

  it("is not taken where what a busy service serves is the new certificate", async () => {
    const service: Service = {
      ...fakeService("vllm", () => ({ kind: "busy", message: "no answer within 5 s" })),
      verify: async () => ({ kind: "done" }),
    };
    const { store, queue, ended, outcomes } = setUp([service]);
    store.set(fakeBundle(), "live");

    queue.offer(fakeBundle());
    await ended(1);

    assert.deepEqual(outcomes(), ["live"]);
  });

  it("leaves in peace who was never asked to take the new content", async () => {
    const [good, bad] = [fakeBundle(), fakeBundle()];
    const order: string[] = [];
    const { store, queue, ended } = setUp([
      refusing("first", bad.digest, order, 1),
      refusing("second", "", order, 2),
    ]);
    store.set(good, "live");

    queue.offer(bad);
    await ended(1);

    assert.deepEqual(order, ["first rotated", "first rolledBack"]);
  });

  it("fails where there is no earlier generation, and is tried again", async () => {
    let refuse = true;
    const service = fakeService("vllm", () =>
      refuse ? { kind: "failed", message: "no" } : { kind: "done" },
    );
    const { store, queue, clock, ended, outcomes } = setUp([service]);
    const bundle = fakeBundle();

    queue.offer(bundle);
    await ended(1);
    refuse = false;
    clock.advance(30_000);
    await ended(2);

    assert.deepEqual(outcomes(), ["failed", "live"]);
    assert.equal(store.quarantined(bundle.name, bundle.digest), undefined);
  });

  it("that fails is itself tried again, and ends live", async () => {
    const [good, bad] = [fakeBundle(), fakeBundle()];
    let dead = true;
    const service = fakeService("vllm", () => (dead ? { kind: "failed", message: "no" } : { kind: "done" }));
    const { store, queue, clock, ended, outcomes, events } = setUp([service]);
    store.set(good, "live");

    queue.offer(bad);
    await ended(1);
    assert.equal(store.current(good.name)?.state, "current");
    dead = false;
    clock.advance(30_000);
    await ended(2);

    assert.deepEqual(outcomes(), ["failed", "live"]);
    assert.deepEqual(
      [store.current(good.name)?.digest, store.current(good.name)?.state],
      [good.digest, "live"],
    );
    assert.deepEqual(
      service.notices.map(({ reason }) => reason),
      ["rotated", "rolledBack", "rolledBack"],
    );
    assert.equal(events.filter(({ type }) => type === "rollback.started").length, 1);
    assert.ok(store.quarantined(bad.name, bad.digest));
  });

  it("is finished later where a service is not running: it reads the old files when it starts", async () => {
    const [good, bad] = [fakeBundle(), fakeBundle()];
    let isUp = true;
    const service = fakeService("vllm", ({ generation }) => {
      if (generation.digest === bad.digest) isUp = false;
      return isUp ? { kind: "done" } : { kind: isDeadBy(generation.digest), message: "it died" };
    });
    const isDeadBy = (digest: string) => (digest === bad.digest ? "failed" : "unreachable");
    const { store, queue, clock, ended, outcomes } = setUp([service]);
    store.set(good, "live");

    queue.offer(bad);
    await ended(1);
    isUp = true;
    clock.advance(30_000);
    await ended(2);

    assert.deepEqual(outcomes(), ["rolledBack", "live"]);
    assert.equal(store.current(good.name)?.state, "live");
  });

  it("gives way at once to newer content", async () => {
    const [good, bad, newer] = [fakeBundle(), fakeBundle(), fakeBundle()];
    const back = gate<ServiceAnswer>();
    const service = fakeService("vllm", ({ generation, reason }) => {
      if (reason === "rolledBack") return back.promise;
      return generation.digest === bad.digest ? { kind: "failed", message: "no" } : { kind: "done" };
    });
    const { store, queue } = setUp([service]);
    store.set(good, "live");
    queue.offer(bad);
    await until("it is on the way back", () => service.notices.length === 2);

    queue.offer(newer);
    back.open({ kind: "done" });
    await until("the newer is live", () => store.current(newer.name)?.state === "live");

    assert.equal(store.current(newer.name)?.digest, newer.digest);
    assert.equal(store.quarantined(bad.name, bad.digest), undefined);
  });

  it("goes on with the rotation where the disk does not let it go back", async () => {
    const [good, bad] = [fakeBundle(), fakeBundle()];
    let refuse = true;
    const service = fakeService("vllm", () =>
      refuse ? { kind: "failed", message: "no" } : { kind: "done" },
    );
    const { store, queue, clock, ended, outcomes } = setUp([service]);
    store.set(good, "live");
    store.failNext = "rollBack";

    queue.offer(bad);
    await ended(1);
    assert.equal(store.current(bad.name)?.digest, bad.digest);
    refuse = false;
    clock.advance(30_000);
    await ended(2);

    assert.deepEqual(outcomes(), ["failed", "live"]);
  });

  it("is finished after a start, and told as what it is", async () => {
    const [good, bad, service] = [fakeBundle(), fakeBundle(), fakeService("vllm")];
    const { store, queue } = setUp([service]);
    const to = store.set(good, "live").id;
    store.set(bad, "current");
    const { current } = await store.rollBack(good.name, to, { cause: "service", why: "it refused" });

    queue.resume(current, true);
    await until("it is live", () => store.current(good.name)?.state === "live");

    assert.equal(service.notices[0]?.reason, "rolledBack");
  });
});

describe("an operator's way back", () => {
  it("goes to the newest generation that was live", async () => {
    const [older, newer, service] = [fakeBundle(), fakeBundle(), fakeService("vllm")];
    const { store, queue } = setUp([service]);
    store.set(older, "live");
    store.set(newer, "live");

    const outcome = await queue.goBack({
      kind: "return",
      cause: "operator",
      name: older.name,
      to: null,
      why: "asked",
    });

    assert.equal(outcome.kind, "rolledBack");
    assert.equal(store.current(older.name)?.digest, older.digest);
    assert.ok(store.quarantined(newer.name, newer.digest));
    assert.deepEqual(
      service.notices.map(({ reason }) => reason),
      ["rolledBack"],
    );
  });

  it("goes to the generation that is named", async () => {
    const [oldest, older, newest] = [fakeBundle(), fakeBundle(), fakeBundle()];
    const { store, queue } = setUp([]);
    const to = store.set(oldest, "live").id;
    store.set(older, "live");
    store.set(newest, "live");

    await queue.goBack({ kind: "return", cause: "operator", name: oldest.name, to, why: "asked" });

    assert.equal(store.current(oldest.name)?.digest, oldest.digest);
  });

  it("takes the place of a rotation that is tried again and again", async () => {
    const [good, bad] = [fakeBundle(), fakeBundle()];
    const service = fakeService("vllm", ({ generation }) =>
      generation.digest === bad.digest ? { kind: "busy", message: "503" } : { kind: "done" },
    );
    const { store, queue, clock, ended } = setUp([service]);
    store.set(good, "live");
    queue.offer(bad);
    await ended(1);

    await queue.goBack({ kind: "return", cause: "operator", name: good.name, to: null, why: "asked" });

    assert.equal(store.current(good.name)?.digest, good.digest);
    assert.deepEqual([clock.sleeping, queue.isBusy(good.name)], [0, false]);
  });

  for (const [what, code, set, to] of [
    ["a bundle that is not here", "BUNDLE_UNKNOWN", 0, null],
    ["a generation that is not kept", "GENERATION_UNKNOWN", 2, "000099-00000000"],
    ["the generation that is current", "NOTHING_TO_DO", 2, "000002-00000000"],
    ["a bundle that had only one", "NOTHING_TO_DO", 1, null],
  ] as const) {
    it(`refuses ${what}, and leaves alone what is on its way`, async () => {
      const { store, queue } = setUp([]);
      const { name } = fakeBundle();
      for (let made = 0; made < set; made++) store.set(fakeBundle(), "live");

      const asked = queue.goBack({
        kind: "return",
        cause: "operator",
        name,
        to: to as GenerationId | null,
        why: "asked",
      });

      await assert.rejects(asked, { code });
      assert.deepEqual(store.done, []);
    });
  }
});

describe("a repair", () => {
  it("changes nothing and tells nobody where the files are right", async () => {
    const [bundle, service] = [fakeBundle(), fakeService("vllm")];
    const { store, queue, ended, outcomes } = setUp([service]);
    store.set(bundle, "live");

    queue.repair(bundle.name);
    await ended(1);

    assert.deepEqual(outcomes(), ["unchanged"]);
    assert.deepEqual([store.done, service.notices], [[], []]);
  });

  for (const misleads of [true, false]) {
    it(`${misleads ? "tells" : "leaves in peace"} a service that ${misleads ? "may have" : "cannot have"} read something wrong`, async () => {
      const [bundle, service] = [fakeBundle(), fakeService("vllm")];
      const { store, queue, ended, outcomes, events } = setUp([service]);
      store.set(bundle, "live");
      store.findings = [{ message: "tls.key is truncated", misleads }];

      queue.repair(bundle.name);
      await ended(1);

      assert.deepEqual(outcomes(), ["live"]);
      assert.deepEqual(
        service.notices.map(({ reason }) => reason),
        misleads ? ["repaired"] : [],
      );
      assert.deepEqual(
        events.filter(({ type }) => type === "bundle.drifted"),
        [{ type: "bundle.drifted", bundle: "mesh", findings: ["tls.key is truncated"], failure: null }],
      );
    });
  }

  it("says so where it does not work", async () => {
    const bundle = fakeBundle();
    const { store, queue, ended, outcomes, events } = setUp([]);
    store.set(bundle, "live");
    store.findings = [{ message: "tls.key is truncated", misleads: true }];
    store.failNext = "repair";

    queue.repair(bundle.name);
    await ended(1);

    assert.deepEqual(outcomes(), ["failed"]);
    const [drift] = events.filter((event) => event.type === "bundle.drifted");
    assert.equal(drift?.failure, "cannot repair: the disk is full");
    assert.equal(queue.isBusy(bundle.name), false);
  });

  it("gives way to new content", async () => {
    const [bundle, newer] = [fakeBundle(), fakeBundle()];
    const { store, queue } = setUp([]);
    store.set(bundle, "live");

    queue.offer(newer);
    queue.repair(bundle.name);
    await until("it is live", () => store.current(newer.name)?.digest === newer.digest);

    assert.ok(!store.done.includes("repair"));
  });
});

describe("a reminder", () => {
  it("tells only the service that fell behind", async () => {
    const [bundle, behind, other] = [fakeBundle(), fakeService("behind"), fakeService("other")];
    const { store, queue, ended } = setUp([behind, other]);
    const generation = store.set(bundle, "live");

    queue.remind(generation, "behind");
    await ended(1);

    assert.deepEqual([behind.notices.map(({ reason }) => reason), other.notices], [["repaired"], []]);
  });

  it("is not tried again by itself where the service does not take it: the schedule looks again", async () => {
    const [bundle, behind] = [fakeBundle(), fakeService("vllm", () => ({ kind: "busy", message: "503" }))];
    const { store, queue, ended, outcomes, clock } = setUp([behind]);
    const generation = store.set(bundle, "live");

    queue.remind(generation, "vllm");
    await ended(1);

    assert.deepEqual([outcomes(), clock.sleeping], [["failed"], 0]);
    assert.equal(store.current(bundle.name)?.state, "live");
  });

  it("is tried again where the service is not there, which would be looked at in vain", async () => {
    const answers: ServiceAnswer[] = [{ kind: "unreachable", message: "ECONNREFUSED" }];
    const behind = fakeService("vllm", () => answers.shift() ?? { kind: "done" });
    const { store, queue, ended, outcomes, clock } = setUp([behind]);
    const generation = store.set(fakeBundle(), "live");

    queue.remind(generation, "vllm");
    await ended(1);
    clock.advance(60_000);
    await ended(2);

    assert.deepEqual(outcomes(), ["pending", "live"]);
  });

  it("of files that were put right is tried again until it is done", async () => {
    const answers: ServiceAnswer[] = [
      { kind: "busy", message: "503" },
      { kind: "busy", message: "503" },
      { kind: "unreachable", message: "ECONNREFUSED" },
      { kind: "done" },
    ];
    const service = fakeService("vllm", () => answers.shift() ?? { kind: "done" });
    const { store, queue, ended, outcomes, clock } = setUp([service]);
    const { name } = store.set(fakeBundle(), "live");
    store.findings = [{ message: "tls.key is missing", misleads: true }];

    queue.repair(name);
    for (const count of [1, 2, 3]) {
      await ended(count);
      clock.advance(60_000);
    }
    await ended(4);

    assert.deepEqual(outcomes(), ["failed", "failed", "pending", "live"]);
  });
});
