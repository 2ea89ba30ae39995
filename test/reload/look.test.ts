import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import type { Bundle } from "../../src/core/bundle.ts";
import type { Problem } from "../../src/core/problem.ts";
import type { Examine } from "../../src/reload/ports.ts";
import { bundleOf } from "../support/bundle.ts";
import { FakeClock, FakeStore } from "../support/fake-ports.ts";
import { setUpIntake } from "../support/intake.ts";
import { nameOf } from "../support/material.ts";
import { type BundlePems, createBundleMaker } from "../support/pki.ts";
import { until } from "../support/wait.ts";

const mesh = nameOf("mesh");
const signal = new AbortController().signal;

describe("a look at a bundle", () => {
  let good: BundlePems;
  let bad: BundlePems;

  before(async () => {
    const pki = await createBundleMaker();
    [good, bad] = await Promise.all([pki.make(), pki.make()]);
  });

  /** A store that went from `bad` back to `good`. */
  async function rolledBack(): Promise<FakeStore> {
    const store = new FakeStore();
    const { id } = store.set(bundleOf("mesh", { mesh: good.whole }), "live");
    store.set(bundleOf("mesh", { mesh: bad.whole }), "current");
    const { current } = await store.rollBack(mesh, id, { cause: "service", why: "vllm answered 422" });
    await store.recordLive(current);
    return store;
  }

  it("does nothing with content that was rolled back, and says why", async () => {
    const { change, seen, offered } = setUpIntake({ store: await rolledBack() });

    await change({ "/certs/mesh": bad.whole });
    await until("it is seen", () => seen("bundle.quarantined").length === 1);

    const [event] = seen("bundle.quarantined");
    assert.equal(event?.type === "bundle.quarantined" && event.why, "vllm answered 422");
    assert.deepEqual(offered, []);
  });

  it("lets the content be tried again once other content was seen to be live", async () => {
    const { change, seen, offered } = setUpIntake({ store: await rolledBack() });
    await change({ "/certs/mesh": good.whole });
    await until("it is seen", () => seen("bundle.unchanged").length === 1);

    await change({ "/certs/mesh": bad.whole });
    await until("it is offered", () => offered.length === 1);

    assert.deepEqual(seen("bundle.quarantined"), []);
  });

  it("tries content again that an operator asks for, and says how that ended", async () => {
    const store = await rolledBack();
    const { intake, change, seen, offered } = setUpIntake({ store });
    await change({ "/certs/mesh": bad.whole });
    await until("it is seen", () => seen("bundle.quarantined").length === 1);

    const result = await intake.retry(mesh, signal);

    assert.equal(result.kind === "reloaded" && result.outcome.kind, "live");
    assert.equal(offered.length, 1);
  });

  it("does not lift the quarantine of content that an operator tries again and that is no longer good", async () => {
    const store = await rolledBack();
    const problems: readonly Problem[] = [{ code: "CERTIFICATE_EXPIRED", message: "it has expired" }];
    const { intake, change, seen } = setUpIntake({ store, examine: async () => ({ ok: false, problems }) });
    await change({ "/certs/mesh": bad.whole });
    await until("it is seen", () => seen("bundle.quarantined").length === 1);

    const result = await intake.retry(mesh, signal);

    assert.deepEqual(result, { kind: "rejected", problems });
    assert.ok(store.quarantined(mesh, bundleOf("mesh", { mesh: bad.whole }).digest));
  });

  it("has nothing to try again where the content is live, or there is none", async () => {
    const store = new FakeStore();
    store.set(bundleOf("mesh", { mesh: good.whole }), "live");
    const { intake, change } = setUpIntake({ store });
    await change({ "/certs/mesh": good.whole });

    await assert.rejects(intake.retry(mesh, signal), { code: "NOTHING_TO_DO" });
    await assert.rejects(intake.retry(nameOf("other"), signal), { code: "BUNDLE_UNKNOWN" });
  });

  it("is repeated where what is wrong may pass by itself, and says it once", async () => {
    let bundle: Bundle | undefined;
    const problems: readonly Problem[] = [{ code: "CERTIFICATE_NOT_YET_VALID", message: "not yet" }];
    const examine: Examine = async () => (bundle ? { ok: true, bundle } : { ok: false, problems });
    const { change, clock, seen, offered } = setUpIntake({ examine });
    await change({ "/certs/mesh": good.whole });
    await until("it waits", () => clock.sleeping === 1);
    clock.advance(60_000);
    await until("it waits again", () => clock.sleeping === 1);

    bundle = bundleOf("mesh", { mesh: good.whole });
    clock.advance(60_000);
    await until("it is offered", () => offered.length === 1);

    assert.equal(seen("bundle.rejected").length, 1);
  });

  it("is not repeated where only other content can help", async () => {
    const problems: readonly Problem[] = [
      { code: "CERTIFICATE_NOT_YET_VALID", message: "not yet" },
      { code: "NAME_MISSING", message: "no name" },
    ];
    const { change, clock, seen } = setUpIntake({ examine: async () => ({ ok: false, problems }) });

    await change({ "/certs/mesh": good.whole });
    await until("it is rejected", () => seen("bundle.rejected").length === 1);

    assert.equal(clock.sleeping, 0);
  });

  it("is repeated once the clock was put back, where a clock that was ahead may have made it fail", async () => {
    let looks = 0;
    let steppedMs = 0;
    const problems: readonly Problem[] = [{ code: "CERTIFICATE_EXPIRED", message: "it has expired" }];
    const examine: Examine = async () => {
      looks++;
      return { ok: false, problems };
    };
    const time = new FakeClock();
    const clock = Object.assign(time, { now: () => new Date(time.monotonicMs() + steppedMs) });
    const { change } = setUpIntake({ examine, clock });
    await change({ "/certs/mesh": good.whole });
    await until("it waits", () => clock.sleeping === 1);

    for (let minute = 0; minute < 3; minute++) {
      clock.advance(60_000);
      await until("it waits again", () => clock.sleeping === 1);
    }
    const asLongAsTimeWentOn = looks;
    steppedMs = -86_400_000;
    clock.advance(60_000);
    await until("it was looked at again", () => looks === 2);

    assert.equal(asLongAsTimeWentOn, 1);
  });

  it("gives the content for a repair only where it is what was asked for", async () => {
    const { intake, change } = setUpIntake();
    await change({ "/certs/mesh": good.whole });
    const { digest } = bundleOf("mesh", { mesh: good.whole });
    const other = bundleOf("mesh", { mesh: bad.whole }).digest;

    assert.equal((await intake.contentOf(mesh, digest, signal))?.digest, digest);
    assert.equal(await intake.contentOf(mesh, other, signal), null);
    assert.equal(await intake.contentOf(nameOf("none"), digest, signal), null);
  });
});
