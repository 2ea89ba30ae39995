/** A disk that fails to take what was written: such a generation is not trusted, and no service is told of it. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { useFolder } from "../../support/folder.ts";
import { findTool } from "../../support/tools.ts";
import { until } from "../../support/wait.ts";
import { useDiskStand } from "./stand.ts";

describe("an fsync that fails", () => {
  it("leaves what is live, and the content is written again until it is on the medium", async (t) => {
    const strace = findTool("strace");
    if (strace === undefined) return t.skip("strace(1) is not installed");
    const stand = await useDiskStand(t, await useFolder(t));
    const { daemon, service, dir, first } = stand;
    const tracer = spawn(
      strace,
      ["-f", "-e", "trace=fsync", "-e", "inject=fsync:error=EIO:when=1", "-p", `${daemon.process.pid}`],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    t.after(() => tracer.kill("SIGKILL"));
    let traced = "";
    tracer.stderr.on("data", (chunk: Buffer) => {
      traced += chunk;
    });
    await until(
      "strace is attached, or may not be",
      () => /attached/.test(traced) || tracer.exitCode !== null,
    );
    if (tracer.exitCode !== null) return t.skip(`strace may not trace here: ${traced.trim()}`);

    const second = await stand.put();
    const failed = await until("it fails", () => daemon.log.find(({ msg }) => msg === "reload failed"));
    await stand.untilServed(second);
    tracer.kill("SIGTERM");
    await once(tracer, "exit");

    assert.match(
      String(failed.why),
      /^cannot write generation 000002-\w+ of inference in .*EIO.*the disk fails/,
    );
    assert.equal(failed.generation, undefined);
    const lastFailure = daemon.log.findLastIndex(({ msg }) => msg === "reload failed");
    const tellings = daemon.log.flatMap(({ msg }, i) => (msg === "service was told" ? [i] : []));
    assert.equal(tellings.length, 2);
    assert.ok((tellings[1] ?? 0) > lastFailure);
    assert.equal(service.hooks.length, 2);
    assert.deepEqual(service.misled, []);
    assert.ok(readdirSync(join(dir, ".generations")).every((name) => /^\d{6}-[0-9a-f]{8}$/.test(name)));
    assert.equal(await service.served(first.ca), second.leaf.fingerprint256);
  });
});
