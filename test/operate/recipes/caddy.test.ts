import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { freePorts } from "../../../src/dev/etcd.ts";
import { assertOnlyDropped } from "../../support/dropped.ts";
import { useProxyTrial } from "../../support/proxy-trial.ts";
import { isOpen, runServer } from "../../support/server-process.ts";
import { needTool } from "../../support/tools.ts";

describe("the recipe for caddy", () => {
  it("turns the certificate ten times under load, and drops what was not accepted yet at most", async (t) => {
    const [admin = 0] = await freePorts(1);
    const curl = needTool("curl");
    const trial = await useProxyTrial(t, "caddy", (home, port) => ({
      "/etc/caddy": home,
      "owner: caddy, group: caddy": `owner: "${process.getuid?.()}"`,
      "localhost:2019": `localhost:${admin}`,
      "inference.local:8443": `inference.local:${port}`,
      "curl --silent": `${curl} --silent`,
    }));
    const { home, port, recipe } = trial;
    const file = join(home, "Caddyfile");
    await writeFile(file, recipe.block("caddyfile"));
    const program = needTool("caddy");
    const words = ["run", "--config", file, "--adapter", "caddyfile"];
    const env = { XDG_DATA_HOME: home, XDG_CONFIG_HOME: home };
    const seen = await trial.run(() => runServer(t, program, words, () => isOpen(port), { env }));
    assertOnlyDropped(seen);
    assert.ok(seen.stream.isWhole);
    assert.ok(seen.connections > 1, "connections that wait are closed");
  });
});
