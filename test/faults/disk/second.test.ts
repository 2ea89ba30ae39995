/** Two daemons for one folder: the second is refused on every path to it, and takes over at once when the first is gone. */
import assert from "node:assert/strict";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { useDaemon } from "../../support/daemon.ts";
import { useFolder } from "../../support/folder.ts";
import { until } from "../../support/wait.ts";
import { useDiskStand } from "./stand.ts";

describe("a second daemon", () => {
  it("is refused where a link leads to the same folder, and the first one goes on", async (t) => {
    const [folder, other] = [await useFolder(t), await useFolder(t)];
    const stand = await useDiskStand(t, folder);
    const link = join(other, "link");
    symlinkSync(folder, link);

    const second = useDaemon(t, other, {
      etcd: { endpoints: [stand.etcd.endpoint] },
      output: { dir: join(link, "output") },
    });

    await assert.rejects(second, /ended with 1: .*STORE_LOCKED/s);
    await stand.untilServed(await stand.put());
  });

  it("starts at once when the first was killed, and goes on from what is there", async (t) => {
    const folder = await useFolder(t);
    const { daemon, service, etcd, put } = await useDiskStand(t, folder);
    await daemon.stop("SIGKILL");
    const second = await put();

    const next = await useDaemon(t, folder, {
      etcd: { endpoints: [etcd.endpoint] },
      services: [service.settings],
    });
    await until("what was put meanwhile is live", async () => {
      const { live, generation } = (await next.bundle("inference")) ?? {};
      return live && generation?.leaf?.fingerprint256 === second.leaf.fingerprint256;
    });

    assert.equal(await service.served(second.ca), second.leaf.fingerprint256);
    assert.equal(service.hooks.length, 2);
    assert.deepEqual(service.misled, []);
  });
});
