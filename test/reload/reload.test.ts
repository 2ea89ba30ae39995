import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Bundle } from "../../src/core/bundle.ts";
import type { Service } from "../../src/reload/ports.ts";
import { reload } from "../../src/reload/reload.ts";
import type { Rotation, Work } from "../../src/reload/work.ts";
import { FakeClock, FakeStore, fakeBundle, fakeService, gate } from "../support/fake-ports.ts";

function workFor(bundle: Bundle, told: readonly string[] = []): Rotation {
  const { name, digest } = bundle;
  return { kind: "rotate", name, digest, bundle, reason: "rotated", told: new Set(told), asked: new Set() };
}

function run(
  work: Work,
  store: FakeStore,
  services: readonly Service[],
  signal = new AbortController().signal,
) {
  const tools = {
    store,
    upkeep: store,
    services,
    clock: new FakeClock(),
    report: () => undefined,
    contentOf: async () => null,
  };
  return reload(work, tools, signal);
}

describe("a reload", () => {
  it("stages, flips, tells, records and prunes, in that order", async () => {
    const [store, bundle] = [new FakeStore(), fakeBundle()];
    const service = fakeService("vllm", () => {
      store.done.push("notify");
      return { kind: "done" };
    });

    const { outcome, steps } = await run(workFor(bundle), store, [service]);

    assert.equal(outcome.kind, "live");
    assert.deepEqual(store.done, ["stage", "activate", "notify", "recordLive", "prune"]);
    assert.deepEqual(Object.keys(steps), ["stage", "activate", "notify.1", "record", "prune"]);
    assert.equal(service.notices[0]?.generation.digest, bundle.digest);
  });

  it("does nothing where the digest is live", async () => {
    const [store, bundle, service] = [new FakeStore(), fakeBundle(), fakeService("vllm")];
    store.set(bundle, "live");

    const { outcome } = await run(workFor(bundle), store, [service]);

    assert.equal(outcome.kind, "unchanged");
    assert.deepEqual([store.done, service.notices], [[], []]);
  });

  it("only tells where the digest is current and not live", async () => {
    const [store, bundle, service] = [new FakeStore(), fakeBundle(), fakeService("vllm")];
    store.set(bundle, "current");

    const { outcome } = await run({ ...workFor(bundle), bundle: null }, store, [service]);

    assert.equal(outcome.kind, "live");
    assert.deepEqual(store.done, ["recordLive", "prune"]);
    assert.equal(service.notices.length, 1);
  });

  it("fails with nothing flipped where staging fails", async () => {
    const [store, old, service] = [new FakeStore(), fakeBundle(), fakeService("vllm")];
    store.set(old, "live");
    store.failNext = "stage";

    const { outcome } = await run(workFor(fakeBundle()), store, [service]);

    assert.deepEqual(outcome, {
      kind: "failed",
      generation: null,
      message: "cannot stage: the disk is full",
    });
    assert.equal(store.current(old.name)?.digest, old.digest);
    assert.equal(service.notices.length, 0);
  });

  it("tells the stages in order, and the services of one side by side", async () => {
    const both = gate<void>();
    const told: string[] = [];
    const answer = (name: string) => async () => {
      told.push(name);
      if (told.includes("a") && told.includes("b")) both.open();
      await both.promise;
      return { kind: "done" } as const;
    };
    const services = [
      fakeService("last", answer("last"), 3),
      fakeService("a", answer("a"), 1),
      fakeService("b", answer("b"), 1),
    ];

    await run(workFor(fakeBundle()), new FakeStore(), services);

    assert.deepEqual(told, ["a", "b", "last"]);
  });

  it("does not come to a later stage where an earlier one failed", async () => {
    const failing = fakeService("engine", () => ({ kind: "failed", message: "engine answered 409" }), 1);
    const proxy = fakeService("proxy", undefined, 2);
    const store = new FakeStore();

    const { outcome } = await run(workFor(fakeBundle()), store, [failing, proxy]);

    assert.equal(outcome.kind, "failed");
    assert.match("message" in outcome ? outcome.message : "", /^engine answered 409; there is no earlier/);
    assert.equal(proxy.notices.length, 0);
    assert.deepEqual(store.done, ["stage", "activate"]);
  });

  it("is pending where a service is not running, and tells the others all the same", async () => {
    const down = fakeService(
      "engine",
      () => ({ kind: "unreachable", message: "engine cannot be reached" }),
      1,
    );
    const proxy = fakeService("proxy", undefined, 2);

    const work = workFor(fakeBundle());
    const { outcome } = await run(work, new FakeStore(), [down, proxy]);

    assert.equal(outcome.kind, "pending");
    assert.deepEqual([...work.told], ["proxy"]);
  });

  it("does not tell again who knows", async () => {
    const [knows, new_] = [fakeService("knows"), fakeService("new")];

    const { outcome } = await run(workFor(fakeBundle(), ["knows"]), new FakeStore(), [knows, new_]);

    assert.equal(outcome.kind, "live");
    assert.deepEqual([knows.notices.length, new_.notices.length], [0, 1]);
  });

  it("is not live while a service does not serve what it was told of", async () => {
    const service: Service = {
      ...fakeService("vllm"),
      verify: async () => ({ kind: "failed", message: "vllm serves another certificate" }),
    };
    const store = new FakeStore();

    const { outcome } = await run(workFor(fakeBundle()), store, [service]);

    assert.equal(outcome.kind, "failed");
    assert.ok(!store.done.includes("recordLive"));
  });

  it("is live where an old generation cannot be removed, and says so", async () => {
    const store = new FakeStore();
    store.failNext = "prune";

    const { outcome } = await run(workFor(fakeBundle()), store, []);

    assert.equal(outcome.kind, "live");
    assert.equal("warning" in outcome && outcome.warning, "cannot prune: the disk is full");
  });

  it("stops before the flip where it is aborted while staging", async () => {
    const abort = new AbortController();
    const store = new FakeStore();
    const stage = store.stage.bind(store);
    store.stage = async (bundle) => {
      abort.abort();
      return stage(bundle);
    };

    const { outcome } = await run(workFor(fakeBundle()), store, [], abort.signal);

    assert.equal(outcome.kind, "interrupted");
    assert.deepEqual(store.done, ["stage"]);
  });
});
