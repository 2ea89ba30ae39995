/** The output folder taken away under the daemon: everything is written again, and it stays the only one there. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { spawnKeyturn, useDaemon } from "../../support/daemon.ts";
import { useFolder } from "../../support/folder.ts";
import { until } from "../../support/wait.ts";
import { type DiskStand, useDiskStand } from "./stand.ts";

/** A second daemon with the same configuration says that it may not, and ends. */
async function assertRefused(t: TestContext, { daemon }: DiskStand, owner: string): Promise<void> {
  const second = spawnKeyturn(["run", "--config", daemon.configFile]);
  t.after(() => second.kill("SIGKILL"));
  let said = "";
  second.stderr?.on("data", (chunk: Buffer) => {
    said += chunk;
  });
  await until("the second one ends", () => second.exitCode !== null);
  assert.equal(second.exitCode, 1);
  await until("it says why", () => said.includes(`STORE_LOCKED: another keyturn (process ${owner})`));
}

describe("an output folder that is removed under the daemon", () => {
  it("comes back whole, is served all the time, and stays the daemon's own", async (t) => {
    const stand = await useDiskStand(t, await useFolder(t));
    const { daemon, service, dir, first } = stand;
    let failed = 0;
    let served = 0;
    const watch = new AbortController();
    const watching = (async () => {
      while (!watch.signal.aborted) {
        if ((await service.served(first.ca)) === first.leaf.fingerprint256) served++;
        else failed++;
      }
    })();

    rmSync(daemon.outputDir, { recursive: true });
    await until("the service is told", () => service.hooks.at(-1)?.event.data.reason === "repaired");
    await until("it is live", async () => (await daemon.bundle("inference"))?.live);
    watch.abort();
    await watching;

    assert.ok(readFileSync(join(dir, "tls.pem"), "utf8").includes(first.leaf.certificatePem));
    assert.ok(served > 0);
    assert.equal(failed, 0);
    assert.deepEqual(service.misled, []);
    assert.equal(service.hooks.length, 2);
    await assertRefused(t, stand, String(daemon.process.pid));
    await stand.untilServed(await stand.put());
  });

  it("is made again for what is put, without waiting for the audit", async (t) => {
    const stand = await useDiskStand(t, await useFolder(t), { output: { auditEvery: "1h" } });

    rmSync(stand.daemon.outputDir, { recursive: true });
    const second = await stand.put();
    await stand.untilServed(second);

    assert.deepEqual(stand.service.misled, []);
    await assertRefused(t, stand, String(stand.daemon.process.pid));
  });

  it("is left to another daemon that was there first: the one that lost it ends, and says why", async (t) => {
    const [folder, other] = [await useFolder(t), await useFolder(t)];
    const link = join(folder, "link");
    mkdirSync(join(folder, "here"));
    symlinkSync("here", link);
    const stand = await useDiskStand(t, folder, { output: { dir: join(link, "output") } });
    const { daemon } = stand;
    const taker = await useDaemon(t, other, {
      etcd: { endpoints: [stand.etcd.endpoint] },
      output: { dir: join(other, "output") },
    });
    await taker.untilLive("inference");
    const gone = once(daemon.process, "exit");

    // One rename: there is no moment without a folder.
    symlinkSync(other, join(folder, "new-link"));
    renameSync(join(folder, "new-link"), link);
    const [code] = await gone;

    assert.equal(code, 1);
    const said = daemon.log.find(({ msg }) => msg === "keyturn broke down");
    const { code: why, message } = (said?.err ?? {}) as Record<string, string>;
    assert.equal(why, "STORE_LOCKED");
    assert.match(message ?? "", new RegExp(`another keyturn \\(process ${taker.process.pid}\\)`));
    assert.ok((await taker.bundle("inference"))?.live);
  });
});

describe("the note of the lock", () => {
  it("may be removed: a second daemon is refused all the same", async (t) => {
    const stand = await useDiskStand(t, await useFolder(t));

    rmSync(join(stand.daemon.outputDir, ".lock"));

    await assertRefused(t, stand, "unknown");
  });
});
