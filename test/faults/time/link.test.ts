/** The link to etcd, and calls that are under way, while the wall clock is stepped. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { stays, until } from "../../support/wait.ts";
import { isReady, untilServed, useClockStand } from "./stand.ts";

const PUTS = 60;
const JUMP_EVERY_MS = 15;

describe("the link to etcd", () => {
  it("stays up through steps of a day and of 400 days", async (t) => {
    const { content, put, clock, start } = await useClockStand(t);
    const daemon = await start();
    const first = content({ from: -500, until: 900 });
    await put("/certs/inference.pem", first.pem);
    await untilServed(daemon, "inference", first);

    for (const days of [1, -1, 400, -400, 0]) {
      await clock.set(days);
      await stays(async () => (await daemon.status()).etcd.connected, "connected", 300);
      const next = content({ from: -500, until: 900 });
      await put("/certs/inference.pem", next.pem);
      await untilServed(daemon, "inference", next);
    }

    assert.equal(daemon.log.filter(({ event }) => event === "etcd.connected").length, 1);
    assert.equal(daemon.log.filter(({ event }) => event === "etcd.disconnected").length, 0);
  });

  it("comes back where the clock jumps by a day in the middle of calls, and nothing put meanwhile is lost", async (t) => {
    const { content, put, clock, receiver, settings, start } = await useClockStand(t);
    // A new session, with calls and their deadlines, again and again.
    const daemon = await start({ etcd: { ...settings.etcd, resyncEvery: "20ms" } });
    const over = new AbortController();
    const jumps = jump(over.signal);
    const contents = Array.from({ length: PUTS }, () => content({ from: -500, until: 900 }));
    for (const [index, { pem }] of contents.entries()) await put(`/certs/bundle-${index % 6}.pem`, pem);
    for (const [index, last] of contents.slice(-6).entries()) {
      await untilServed(daemon, `bundle-${(PUTS - 6 + index) % 6}`, last, 60_000);
    }
    const lists = () => daemon.metric("keyturn_resyncs_total", { reason: "periodic" });
    const before = await lists();
    await until("it lists on while the clock jumps", async () => (await lists()) >= before + 20, 60_000);
    over.abort();
    await jumps;
    await clock.set(0);
    await until("it is ready", () => isReady(daemon));

    const told = new Set(receiver.hooks.map(({ event }) => event.data.leaf?.fingerprint256));
    assert.ok(contents.slice(-6).every(({ fingerprint256 }) => told.has(fingerprint256)));
    assert.equal(daemon.process.exitCode, null);

    async function jump(signal: AbortSignal): Promise<void> {
      for (let count = 0; !signal.aborted; count++) {
        await clock.set([1, -1, 0][count % 3] ?? 0);
        await sleep(JUMP_EVERY_MS);
      }
    }
  });
});
