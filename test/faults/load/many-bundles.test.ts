/** Every bundle of a node rotated at once, as on the day that an authority is replaced. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { usageOf } from "../../bench/usage.ts";
import { useDaemon } from "../../support/daemon.ts";
import { useStand } from "../../support/stand.ts";
import { useWriter } from "../../support/writer.ts";
import { watchHealth } from "./health.ts";
import { makeContents, namesOf, putAll, toldOf, untilAllLive } from "./stand.ts";

const BUNDLES = 500;
/** Contents differ within a bundle; which of them another bundle has is nothing to it. */
const VARIANTS = 12;
/** Most resident memory while all of them rotate, as a multiple of that after the first sync. */
const MOST_GROWTH = 2;

describe("500 bundles that rotate at once", () => {
  for (const concurrency of [1, 8]) {
    it(`are all live, each told once, with ${concurrency} at a time`, async (t) => {
      const { etcd, folder, receiver, settings } = await useStand(t);
      const writer = useWriter(t, etcd.endpoint);
      const names = namesOf("bundle", BUNDLES);
      const variants = makeContents(VARIANTS);
      const contentsOf = (shift: number) =>
        new Map(
          names.map((name, index) => {
            const content = variants[(index + shift) % VARIANTS];
            assert.ok(content);
            return [name, content];
          }),
        );
      const log = { level: "info" };
      const daemon = await useDaemon(t, folder, { ...settings, queue: { concurrency }, log });
      const pid = daemon.process.pid ?? 0;
      await putAll(writer, contentsOf(0));
      await untilAllLive(daemon, contentsOf(0));
      const hooksBefore = receiver.hooks.length;
      const before = usageOf(pid);
      const health = watchHealth(daemon.adminUrl);

      await putAll(writer, contentsOf(1));
      await untilAllLive(daemon, contentsOf(1));
      const { asked, failures } = await health.stop();
      const after = usageOf(pid);

      const told = toldOf(receiver, hooksBefore);
      const wanted = [...contentsOf(1)].map(([name, { fingerprint256 }]) => [`${name} ${fingerprint256}`, 1]);
      t.diagnostic(JSON.stringify({ asked, before, after }));
      assert.equal(hooksBefore, BUNDLES);
      assert.deepEqual(new Map(wanted as [string, number][]), new Map([...told].sort(byOrderOf(names))));
      assert.ok(receiver.mostAtOnce() <= concurrency, `${receiver.mostAtOnce()} hooks at once`);
      assert.deepEqual(failures, []);
      assert.ok(after.peakMiB / before.residentMiB < MOST_GROWTH, JSON.stringify({ before, after }));
      assert.equal(after.processes, before.processes);
    });
  }

  it("have their newest content told once, where each is put three times in a row", async (t) => {
    const { etcd, folder, receiver, settings } = await useStand(t);
    const writer = useWriter(t, etcd.endpoint);
    const names = namesOf("bundle", BUNDLES);
    const rounds = [0, 1, 2].map(() => makeContents(1)[0]);
    const log = { level: "info" };
    const daemon = await useDaemon(t, folder, { ...settings, queue: { concurrency: 8 }, log });
    const health = watchHealth(daemon.adminUrl);

    for (const content of rounds) {
      assert.ok(content);
      await putAll(writer, new Map(names.map((name) => [name, content])));
    }
    const newest = rounds.at(-1);
    assert.ok(newest);
    await untilAllLive(daemon, new Map(names.map((name) => [name, newest])));
    const { failures } = await health.stop();

    const told = toldOf(receiver);
    assert.ok(names.every((name) => told.get(`${name} ${newest.fingerprint256}`) === 1));
    assert.ok([...told.values()].every((times) => times === 1));
    assert.deepEqual(failures, []);
  });
});

function byOrderOf(names: readonly string[]) {
  const place = ([which]: [string, number]) => names.indexOf(which.slice(0, which.indexOf(" ")));
  return (a: [string, number], b: [string, number]) => place(a) - place(b);
}
