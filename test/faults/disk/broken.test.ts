/** A bundle's folder that is broken when the daemon starts: it starts for all the others, and writes that one anew. */
import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { useDaemon } from "../../support/daemon.ts";
import { useFolder } from "../../support/folder.ts";
import { useDiskStand } from "./stand.ts";

describe("a bundle's folder that is broken at the start", () => {
  it("is written anew from etcd, and no other bundle is touched", async (t) => {
    const folder = await useFolder(t);
    const { daemon, service, etcd, put, dir } = await useDiskStand(t, folder);
    const other = await put();
    await etcd.put("/certs/other.pem", other.whole);
    await daemon.untilLive("other");
    await daemon.stop();
    const hooks = service.hooks.length;
    rmSync(join(dir, ".generations"), { recursive: true });
    writeFileSync(join(dir, ".generations"), "");

    const next = await useDaemon(t, folder, {
      etcd: { endpoints: [etcd.endpoint] },
      services: [service.settings],
    });
    await next.untilLive("inference");
    await next.untilLive("other");

    assert.ok(readFileSync(join(dir, "tls.pem"), "utf8").includes(other.leaf.certificatePem));
    assert.deepEqual(
      service.hooks.slice(hooks).map(({ event }) => event.data.bundle),
      ["inference"],
    );
    assert.deepEqual(service.misled, []);
  });
});
