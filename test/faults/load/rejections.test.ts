/** Bundles that are rejected, one after another: nothing of them stays in memory. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { useDaemon } from "../../support/daemon.ts";
import { createBundleMaker } from "../../support/pki.ts";
import { childrenOf } from "../../support/process.ts";
import { useStand } from "../../support/stand.ts";
import { until } from "../../support/wait.ts";

/** Bundles that are rejected at a time. */
const ROUND = 50;

/** What is still taken for noise; 1,000 handshakes that are not let go are 130 MB, as much as the daemon has. */
const FLAT = 1.45;

/** The resident memory of a process in KiB. */
async function residentKiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
}

describe("the process that proves bundles", () => {
  it("keeps its memory flat, and the daemon's, over a thousand rejected bundles", async (t) => {
    const { etcd, folder, pki, settings } = await useStand(t);
    const daemon = await useDaemon(t, folder, settings);
    const [good, stranger] = await Promise.all([pki.make(), createBundleMaker()]);
    await etcd.put("/certs/inference.pem", good.whole);
    const live = await daemon.untilLive("inference");
    const { pid = 0 } = daemon.process;
    // Signed by others than whom it trusts: what OpenSSL has to find out by a handshake.
    const bad = good.whole.replace(good.ca, (await stranger.make()).ca);
    const rejections = () => daemon.metric("keyturn_events_total", { result: "rejected" });
    /** Of other names each: a newer put of the same name breaks off the look at the older. */
    const reject = async (rounds: number) => {
      for (let round = 0; round < rounds; round++) {
        const before = await rejections();
        const names = Array.from({ length: ROUND }, (_, at) => `/certs/bad-${at}.pem`);
        await Promise.all(names.map((name) => etcd.put(name, `# ${round}\n${bad}`)));
        await until("they are rejected", async () => (await rejections()) >= before + ROUND);
      }
    };
    const memory = async () => {
      const pids = [pid, ...childrenOf(pid)];
      const sizes = await Promise.all(pids.map(residentKiB));
      return sizes.reduce((sum, size) => sum + size, 0);
    };

    await reject(8);
    const before = await memory();
    await reject(20);
    const after = await memory();

    assert.ok(after < before * FLAT, `${before} KiB before, ${after} KiB after`);
    const bundle = await daemon.bundle("inference");
    assert.deepEqual([bundle?.live, bundle?.generation?.id], [true, live.generation?.id]);
  });
});
