import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { assertOnlyDropped } from "../../support/dropped.ts";
import { useProxyTrial } from "../../support/proxy-trial.ts";
import { isOpen, runServer } from "../../support/server-process.ts";
import { needTool } from "../../support/tools.ts";

describe("the recipe for stunnel", () => {
  it("turns the certificate ten times under load, and drops what comes while its port is closed", async (t) => {
    const trial = await useProxyTrial(t, "stunnel", (home, port, outputDir) => ({
      "/var/lib/keyturn": outputDir,
      "/run/stunnel-inference.pid": join(home, "stunnel.pid"),
      "accept = 8443": `accept = 127.0.0.1:${port}`,
    }));
    const { home, port, recipe } = trial;
    const file = join(home, "inference.conf");
    await writeFile(file, `foreground = yes\n${recipe.block("ini")}`);
    const program = needTool("stunnel4");
    const seen = await trial.run(() => runServer(t, program, [file], () => isOpen(port)));
    assertOnlyDropped(seen);
    assert.ok(seen.stream.isWhole);
    assert.equal(seen.connections, 1, "a kept connection outlives them all");
  });
});
