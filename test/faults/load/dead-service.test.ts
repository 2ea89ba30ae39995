/** Services that do not answer for many bundles, or come and go, beside one that is well. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { useDaemon } from "../../support/daemon.ts";
import { useHookReceiver } from "../../support/hook-receiver.ts";
import { useStand } from "../../support/stand.ts";
import { until } from "../../support/wait.ts";
import { useWriter } from "../../support/writer.ts";
import { footprintOf } from "../soak/footprint.ts";
import { watchHealth } from "./health.ts";
import { makeContents, namesOf, putAll, toldOf, untilAllLive } from "./stand.ts";

const BUNDLES = 40;
/** Connections of hooks that were given up are closed; some are still on their way. */
const MOST_DESCRIPTORS = 40;

describe("a service that never answers", () => {
  it("holds up no bundle of another for long, and gets its own once it answers", async (t) => {
    let isDeaf = true;
    const { etcd, folder, receiver: well, settings } = await useStand(t);
    const deaf = await useHookReceiver(t, {
      answer: (_hook, respond) => {
        if (!isDeaf) respond.writeHead(204).end();
      },
    });
    const http = { url: deaf.url, timeout: "300ms", attempts: 1 };
    const daemon = await useDaemon(t, folder, {
      ...settings,
      queue: { concurrency: 4 },
      log: { level: "info" },
      services: [
        { name: "deaf", bundles: ["deaf-*"], notify: { http } },
        ...settings.services.map((service) => ({ ...service, bundles: ["well-*"] })),
      ],
    });
    const writer = useWriter(t, etcd.endpoint);
    const [first, second] = makeContents(2);
    assert.ok(first && second);
    const contentsOf = (group: string, content: typeof first) =>
      new Map(namesOf(group, BUNDLES).map((name) => [name, content]));
    const health = watchHealth(daemon.adminUrl);

    await putAll(writer, contentsOf("deaf", first));
    await until("each was tried twice", () => deaf.hooks.length >= 2 * BUNDLES, 120_000);
    await putAll(writer, contentsOf("well", first));
    await untilAllLive(daemon, contentsOf("well", first));
    const footprint = footprintOf(daemon.process.pid ?? 0);
    const deafMeanwhile = (await daemon.status()).bundles.filter(
      ({ name, live }) => name.startsWith("deaf") && live,
    );
    await putAll(writer, contentsOf("deaf", second));
    isDeaf = false;
    await untilAllLive(daemon, contentsOf("deaf", second));
    const { failures } = await health.stop();

    assert.equal(deafMeanwhile.length, 0);
    assert.ok([...toldOf(well).values()].every((times) => times === 1));
    assert.equal(well.hooks.length, BUNDLES);
    assert.ok(footprint.descriptors < BUNDLES + MOST_DESCRIPTORS, JSON.stringify(footprint));
    assert.equal(footprint.children, 1);
    assert.deepEqual(failures, []);
  });
});

describe("a service that comes and goes every few rotations", () => {
  it("ends with the newest content of each bundle, told last", async (t) => {
    const { etcd, folder, settings } = await useStand(t);
    const writer = useWriter(t, etcd.endpoint);
    const contents = makeContents(24);
    const names = namesOf("bundle", 4);
    let service = await useHookReceiver(t);
    const port = Number(new URL(service.url).port);
    const hooks = [service.hooks];
    const daemon = await useDaemon(t, folder, {
      ...settings,
      queue: { concurrency: 4 },
      services: [{ name: "flapping", bundles: ["*"], notify: { http: { url: service.url, attempts: 2 } } }],
    });

    for (const [index, content] of contents.entries()) {
      const isUp = Math.floor(index / 3) % 2 === 0;
      if (index % 3 === 0 && index > 0) {
        if (isUp) {
          service = await useHookReceiver(t, { port });
          hooks.push(service.hooks);
        } else await service.close();
      }
      const put = new Map(names.map((name) => [name, content]));
      await putAll(writer, put);
      if (isUp) await untilAllLive(daemon, put);
      else
        await until("it is seen to be down", async () => (await daemon.bundle("bundle-0"))?.live === false);
    }
    await service.close();
    service = await useHookReceiver(t, { port });
    hooks.push(service.hooks);
    const newest = contents.at(-1);
    assert.ok(newest);
    await untilAllLive(daemon, new Map(names.map((name) => [name, newest])));

    for (const name of names) {
      const told = hooks.flat().filter(({ event }) => event.data.bundle === name);
      assert.equal(told.at(-1)?.event.data.leaf?.fingerprint256, newest.fingerprint256);
      const order = told.map(({ event }) =>
        contents.findIndex(({ fingerprint256 }) => fingerprint256 === event.data.leaf?.fingerprint256),
      );
      assert.deepEqual(
        order,
        [...order].sort((a, b) => a - b),
        "nothing older was told after what is newer",
      );
    }
  });
});
