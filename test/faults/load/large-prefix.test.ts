/** A prefix with 5,000 bundles: all of them live, and a restart that tells nobody anything. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { useDaemon } from "../../support/daemon.ts";
import { useStand } from "../../support/stand.ts";
import { until } from "../../support/wait.ts";
import { useWriter } from "../../support/writer.ts";
import { makeContents, namesOf, putAll, toldOf, untilAllLive } from "./stand.ts";

const BUNDLES = 5_000;
const DEADLINE_MS = 600_000;

describe("a prefix with 5,000 bundles", () => {
  it("is live as a whole, each told once, and nothing is told again after a restart with a compacted history", async (t) => {
    const { etcd, folder, receiver, settings } = await useStand(t);
    const writer = useWriter(t, etcd.endpoint);
    const [content, newer] = makeContents(2);
    assert.ok(content && newer);
    const names = namesOf("bundle", BUNDLES);
    const contents = new Map(names.map((name) => [name, content]));
    await putAll(writer, contents);
    const log = { level: "info" };
    const all = { ...settings, queue: { concurrency: 8 }, log };

    const daemon = await useDaemon(t, folder, all);
    await untilAllLive(daemon, contents, DEADLINE_MS);
    const told = toldOf(receiver);
    assert.deepEqual([told.size, Math.max(...told.values())], [BUNDLES, 1]);

    await daemon.stop();
    await writer.put(`/certs/${names[0]}.pem`, newer.pem);
    await writer.compact();
    const next = await useDaemon(t, folder, all);
    await until("the node is ready", async () => (await fetch(`${next.adminUrl}/readyz`)).ok, DEADLINE_MS);
    await untilAllLive(next, new Map([...contents, ["bundle-0", newer]]), DEADLINE_MS);

    assert.equal(receiver.hooks.length, BUNDLES + 1);
  });
});
