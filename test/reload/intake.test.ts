import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import type { Examine } from "../../src/reload/ports.ts";
import { bundleOf } from "../support/bundle.ts";
import { gate } from "../support/fake-ports.ts";
import { SETTLE_MS, setUpIntake } from "../support/intake.ts";
import { type BundlePems, createBundleMaker } from "../support/pki.ts";
import { readContents } from "../support/read-bundle.ts";
import { until } from "../support/wait.ts";

describe("the intake", () => {
  let pems: BundlePems;
  let other: BundlePems;

  before(async () => {
    const pki = await createBundleMaker();
    [pems, other] = await Promise.all([pki.make(), pki.make()]);
  });

  it("offers a good bundle with the revision of its newest part", async () => {
    const { change, offered } = setUpIntake();

    change({
      "/certs/mesh/tls.crt": pems.chain,
      "/certs/mesh/tls.key": pems.key,
      "/certs/mesh/ca.crt": pems.ca,
    });
    await until("it is offered", () => offered.length === 1);

    assert.equal(offered[0]?.revision, 2);
    assert.equal(offered[0]?.identity?.leaf.fingerprint256, pems.leaf.fingerprint256);
  });

  it("leaves alone what is live already, without examining it", async () => {
    const { change, store, seen } = setUpIntake({
      examine: async () => {
        throw new Error("it was examined");
      },
    });
    store.set(bundleOf("mesh", { mesh: pems.whole }), "live");

    change({ "/certs/mesh": pems.whole });
    await until("it is seen", () => seen("bundle.unchanged").length === 1);

    assert.equal(seen("bundle.rejected").length, 0);
  });

  it("offers again what is on disk and was never told", async () => {
    const { change, store, offered } = setUpIntake();
    store.set(bundleOf("mesh", { mesh: pems.whole }), "current");

    change({ "/certs/mesh": pems.whole });

    await until("it is offered", () => offered.length === 1);
  });

  it("waits for a part, says so once more when it is overdue, and goes on when it comes", async () => {
    const { change, clock, offered, seen } = setUpIntake();

    change({ "/certs/mesh/tls.crt": pems.chain });
    await until("it waits", () => clock.sleeping === 1);
    assert.equal(seen("bundle.waiting").length, 1);
    clock.advance(SETTLE_MS);
    await until("it is overdue", () => seen("bundle.waiting").length === 2);
    change({ "/certs/mesh/tls.key": pems.key });
    await until("it is offered", () => offered.length === 1);

    const overdue = seen("bundle.waiting").map((event) => event.type === "bundle.waiting" && event.overdue);
    assert.deepEqual(overdue, [false, true]);
  });

  it("does not call overdue what fitted in time", async () => {
    const { change, clock, offered, seen } = setUpIntake();

    change({ "/certs/mesh/tls.key": pems.key });
    await until("it waits", () => clock.sleeping === 1);
    change({ "/certs/mesh/tls.crt": pems.chain });
    await until("it is offered", () => offered.length === 1);

    assert.equal(clock.sleeping, 0);
    assert.equal(seen("bundle.waiting").length, 1);
  });

  it("gives ca.crt of a new name a moment, for it may be the first of several parts", async () => {
    const { change, clock, offered } = setUpIntake();

    change({ "/certs/mesh/ca.crt": pems.ca });
    await until("it holds", () => clock.sleeping === 1);
    change({ "/certs/mesh/tls.crt": pems.chain, "/certs/mesh/tls.key": pems.key });
    await until("it is offered", () => offered.length === 1);

    assert.notEqual(offered[0]?.identity, null);
    assert.equal(clock.sleeping, 0);
  });

  it("takes ca.crt alone as a trust bundle after that moment", async () => {
    const { change, clock, offered } = setUpIntake();

    change({ "/certs/roots/ca.crt": pems.ca });
    await until("it holds", () => clock.sleeping === 1);
    clock.advance(SETTLE_MS);
    await until("it is offered", () => offered.length === 1);

    assert.equal(offered[0]?.identity, null);
    assert.equal(offered[0]?.anchors.length, 1);
  });

  it("does not turn a bundle into a trust bundle because its leaf and key were deleted", async () => {
    const { change, store, seen, offered } = setUpIntake();
    const live = bundleOf("mesh", { mesh: pems.whole });
    const leaf = live.identity?.leaf ?? null;
    store.set(live, "live");
    const current = store.current(live.name);
    assert.ok(current);
    store.current = () => ({ ...current, leaf });

    change({ "/certs/mesh/ca.crt": other.ca });
    await until("it waits", () => seen("bundle.waiting").length === 1);

    assert.equal(offered.length, 0);
  });

  it("lets the newest content win over an older one whose checks end later", async () => {
    const slow = gate<void>();
    const examine: Examine = async (contents) => {
      if (contents.revision === 2) await slow.promise;
      return readContents(contents);
    };
    const { change, offered } = setUpIntake({ examine });

    change({ "/certs/mesh": pems.whole });
    change({ "/certs/mesh": other.whole });
    await until("the newer is offered", () => offered.length === 1);
    slow.open();
    await new Promise((resolve) => setImmediate(resolve));

    assert.deepEqual(
      offered.map(({ identity }) => identity?.leaf.fingerprint256),
      [other.leaf.fingerprint256],
    );
  });

  it("reports a check that breaks down, and goes on", async () => {
    const { change, seen, offered } = setUpIntake({
      examine: async (contents) => {
        if (contents.name === "bad") throw new Error("out of luck");
        return readContents(contents);
      },
    });

    change({ "/certs/bad": pems.whole, "/certs/good": pems.whole });
    await until("both are done", () => seen("bundle.rejected").length === 1 && offered.length === 1);

    const [rejected] = seen("bundle.rejected");
    assert.ok(rejected?.type === "bundle.rejected");
    assert.deepEqual(rejected.problems, [{ code: "CHECK_FAILED", message: "out of luck" }]);
  });

  it("takes a deleted bundle from disk only where that is wished, and etcd is the same store", async () => {
    const { change, store, removed, seen } = setUpIntake({ onDelete: "remove" });
    store.set(bundleOf("mesh", { mesh: pems.whole }), "live");
    change({ "/certs/mesh": pems.whole }, "start");

    change({ "/certs/mesh": null }, "replaced");
    assert.deepEqual(removed, []);
    change({ "/certs/mesh": null });

    assert.deepEqual(removed, ["mesh"]);
    assert.equal(seen("bundle.deleted").length, 1);
  });

  it("tells at its start of a bundle that etcd no longer has, and keeps it", async () => {
    const { change, store, removed, seen } = setUpIntake({ onDelete: "remove" });
    store.set(bundleOf("mesh", { mesh: pems.whole }), "live");

    change({}, "start");

    assert.deepEqual(seen("bundle.deleted"), [
      { type: "bundle.deleted", bundle: "mesh", removed: false, failure: null },
    ]);
    assert.deepEqual(removed, []);
  });

  it("names an ignored key once, and counts it each time", async () => {
    const { change, seen } = setUpIntake();

    change({ "/certs/A B": "x" });
    change({ "/certs/A B": "y" });

    const firsts = seen("key.ignored").map((event) => event.type === "key.ignored" && event.first);
    assert.deepEqual(firsts, [true, false]);
  });

  it("takes the bundles that are included and not excluded", async () => {
    const { change, offered, seen } = setUpIntake({ include: ["inference-*"], exclude: ["*-test"] });

    change({
      "/certs/inference-a": pems.whole,
      "/certs/inference-test": pems.whole,
      "/certs/mesh": pems.whole,
    });
    await until("it is offered", () => offered.length === 1);

    assert.deepEqual(
      offered.map(({ name }) => name),
      ["inference-a"],
    );
    assert.equal(seen("bundle.excluded").length, 2);
  });

  it("passes labels on when they change, and a bad meta.json holds nothing up", async () => {
    const { change, offered, seen } = setUpIntake();
    const meta = JSON.stringify({ labels: { model_version: "7b" } });

    change({ "/certs/mesh": pems.whole, "/certs/mesh/meta.json": meta });
    change({ "/certs/mesh/meta.json": meta });
    change({ "/certs/mesh/meta.json": "{" });
    await until("it is offered", () => offered.length > 0);

    const labels = seen("bundle.labels").map((event) => event.type === "bundle.labels" && event.labels);
    assert.deepEqual(labels, [{ model_version: "7b" }, {}]);
  });

  it("passes labels on again for a bundle that was deleted in between", async () => {
    const { change, seen } = setUpIntake();
    const values = { "/certs/mesh": pems.whole, "/certs/mesh/meta.json": '{"labels": {"model": "7b"}}' };

    await change(values);
    await change({ "/certs/mesh": null, "/certs/mesh/meta.json": null });
    await change(values);

    assert.equal(seen("bundle.labels").length, 2);
  });

  it("lets others have their turn while it looks at very many bundles", async () => {
    const { change, seen } = setUpIntake();
    let turns = 0;
    const others = setInterval(() => turns++, 0);

    await change(Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`/certs/b${i}`, pems.whole])));
    clearInterval(others);

    assert.ok(turns > 10, `${turns} turns`);
    assert.equal(seen("bundle.observed").length, 400);
    assert.equal(seen("etcd.snapshot").length, 1);
  });
});
