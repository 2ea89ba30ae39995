import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { type ProxySeen, useProxyTrial } from "../../support/proxy-trial.ts";
import { isOpen, runServer } from "../../support/server-process.ts";
import { needTool } from "../../support/tools.ts";

describe("the recipe for haproxy", () => {
  it("turns the certificate by the runtime socket, ten times under load", async (t) => {
    const seen = await tryHaproxy(t, "By the runtime socket", []);
    assert.deepEqual(seen.failures, []);
    assert.ok(seen.stream.isWhole);
    assert.equal(seen.connections, 1, "a kept connection outlives them all");
  });

  it("turns the certificate by a reload, ten times under load", async (t) => {
    const seen = await tryHaproxy(t, "By a reload", ["-W"]);
    assert.deepEqual(seen.failures, []);
    assert.ok(seen.stream.isWhole);
    assert.ok(seen.connections > 1, "connections that wait are closed");
  });
});

/** @param mode How Debian starts it, as far as it matters: `-W` is a master with workers. */
async function tryHaproxy(t: TestContext, heading: string, mode: readonly string[]): Promise<ProxySeen> {
  const trial = await useProxyTrial(t, "haproxy", (home, port, outputDir) => ({
    "/var/lib/keyturn": outputDir,
    "/run/haproxy/admin.sock": join(home, "admin.sock"),
    "/run/haproxy.pid": join(home, "haproxy.pid"),
    "bind :8443": `bind 127.0.0.1:${port}`,
  }));
  const { home, port, recipe } = trial;
  const file = join(home, "haproxy.cfg");
  await writeFile(file, recipe.block("haproxy"));
  const program = needTool("haproxy");
  const words = [...mode, "-db", "-p", join(home, "haproxy.pid"), "-f", file];
  // The socket comes after the port.
  const isReady = async () => (await isOpen(port)) && isOpen(join(home, "admin.sock"));
  return trial.run(() => runServer(t, program, words, isReady), heading);
}
