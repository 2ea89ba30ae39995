import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { IS_ROOT, NOBODY } from "../../support/nobody.ts";
import { useProxyTrial } from "../../support/proxy-trial.ts";
import { isOpen, runServer } from "../../support/server-process.ts";
import { needTool } from "../../support/tools.ts";

/** What `a2enmod ssl proxy proxy_http` and a fresh installation load. */
const MODULES = ["mpm_event", "authz_core", "ssl", "socache_shmcb", "proxy", "proxy_http"];

describe("the recipe for Apache", () => {
  it("turns the certificate ten times under load", async (t) => {
    const trial = await useProxyTrial(t, "apache", (home, port, outputDir) => ({
      "/var/lib/keyturn": outputDir,
      "/run/apache2/apache2.pid": join(home, "apache2.pid"),
      "Listen 8443": `Listen 127.0.0.1:${port}`,
      "*:8443": `*:${port}`,
    }));
    const { home, port, recipe } = trial;
    const program = needTool("apache2");
    await writeFile(join(home, "inference.conf"), recipe.block("apache"));
    await writeFile(join(home, "apache2.conf"), frameOf(home, modulesOf(program)));
    const words = ["-D", "FOREGROUND", "-d", home, "-f", join(home, "apache2.conf")];
    const seen = await trial.run(() => runServer(t, program, words, () => isOpen(port)));
    assert.deepEqual(seen.failures, []);
    assert.ok(seen.stream.isWhole);
    assert.ok(seen.connections > 1, "connections that wait are closed");
  });
});

/** Beside a program that was unpacked, or where Debian installs them. */
function modulesOf(program: string): string {
  const modules = "usr/lib/apache2/modules";
  const { KEYTURN_SERVERS_BIN: bin } = process.env;
  return bin && program.startsWith(bin) ? join(bin, "..", modules) : `/${modules}`;
}

/** What a fresh installation has around the page's part. */
function frameOf(home: string, modules: string): string {
  const lines = [
    ...MODULES.map((name) => `LoadModule ${name}_module ${modules}/mod_${name}.so`),
    `PidFile ${join(home, "apache2.pid")}`,
    `DefaultRuntimeDir ${home}`,
    `ErrorLog ${join(home, "error.log")}`,
    "ServerName localhost",
    ...(IS_ROOT ? [`User #${NOBODY}`, `Group #${NOBODY}`] : []),
    `Include ${join(home, "inference.conf")}`,
  ];
  return `${lines.join("\n")}\n`;
}
