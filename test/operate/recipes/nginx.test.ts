import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { IS_ROOT } from "../../support/nobody.ts";
import { useProxyTrial } from "../../support/proxy-trial.ts";
import { isOpen, runServer } from "../../support/server-process.ts";
import { needTool } from "../../support/tools.ts";

describe("the recipe for nginx", () => {
  it("turns the certificate ten times under load", async (t) => {
    const trial = await useProxyTrial(t, "nginx", (home, port, outputDir) => ({
      "/var/lib/keyturn": outputDir,
      "/run/nginx.pid": join(home, "nginx.pid"),
      "listen 8443": `listen 127.0.0.1:${port}`,
    }));
    const { home, port, recipe } = trial;
    await writeFile(join(home, "inference.conf"), recipe.block("nginx"));
    await writeFile(join(home, "nginx.conf"), frameOf(home));
    const program = needTool("nginx");
    const words = ["-p", home, "-e", "stderr", "-c", join(home, "nginx.conf")];
    const seen = await trial.run(() =>
      runServer(t, program, words, async () => {
        // The pid file comes after the port.
        const pid = await readFile(join(home, "nginx.pid"), "utf8").catch(() => "");
        return pid !== "" && isOpen(port);
      }),
    );
    assert.deepEqual(seen.failures, []);
    assert.ok(seen.stream.isWhole);
    assert.ok(seen.connections > 1, "connections that wait are closed");
  });
});

/** What a fresh installation has around the page's part. */
function frameOf(home: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  const lines = [
    // Workers of a master that is root would otherwise be another user, who has to exist.
    ...(IS_ROOT ? ["user root root;"] : []),
    "daemon off;",
    "worker_processes 2;",
    `pid ${join(home, "nginx.pid")};`,
    "events { worker_connections 256; }",
    "http {",
    "  access_log off;",
    ...temporary.map((name) => `  ${name}_temp_path ${join(home, name)};`),
    `  include ${join(home, "inference.conf")};`,
    "}",
  ];
  return `${lines.join("\n")}\n`;
}
