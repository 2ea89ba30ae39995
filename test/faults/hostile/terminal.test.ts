/** Names in certificates that would steer a terminal: whoever reads of them sees what they are, and is not steered. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { stringify } from "yaml";
import { runKeyturn, spawnKeyturn, useDaemon } from "../../support/daemon.ts";
import { mint } from "../../support/mint.ts";
import { useStand } from "../../support/stand.ts";
import { until } from "../../support/wait.ts";

const ESCAPES = [
  "\u001b[2J",
  "\u009b31m",
  "\u0085",
  "\u200b",
  "\u202e",
  "\u202a",
  "\u2066",
  "\u2069",
  "\u2028",
  "\u007f",
];
const SUBJECT = `evil ${ESCAPES.join("")}`;
/** What a terminal would obey, or show as nothing: everything but the line breaks of the output itself. */
const STEERING = /[^\P{Cc}\n]|[\p{Cf}\u2028\u2029]/u;

const LEAF = mint({ subject: SUBJECT, names: ["evil\u001b[2J.local"] });
const GOOD = LEAF.pem + LEAF.keyPem;
/** What is said of it names its subject. */
const EXPIRED = mint({ subject: SUBJECT, until: -1, from: -2 });

function isTame(text: string, ...shown: readonly string[]): void {
  const at = text.search(STEERING);
  assert.equal(at, -1, JSON.stringify(text.slice(Math.max(0, at - 100), at + 20)));
  for (const one of shown) assert.ok(text.includes(one), `${one} in ${text}`);
}

describe("names of a certificate that would steer a terminal", () => {
  it("are shown by the commands as what they are", async (t) => {
    const { etcd, folder, settings } = await useStand(t);
    const daemon = await useDaemon(t, folder, settings);
    const keyturn = (...argv: string[]) => runKeyturn([...argv, "--config", daemon.configFile]);
    const ask = (...argv: string[]) => keyturn(...argv, "--admin-listen", new URL(daemon.adminUrl).host);
    const file = join(folder, "evil.pem");
    await writeFile(file, GOOD);

    await etcd.put("/certs/evil", GOOD);
    await daemon.untilLive("evil");
    await etcd.put("/certs/expired", EXPIRED.pem + EXPIRED.keyPem);
    await until("it is rejected", async () => (await daemon.bundle("expired"))?.state === "rejected");
    await etcd.put("/certs/\u009b2J\u202e", GOOD);

    isTame((await ask("status")).stdout, "\\u{9b}31m", "\\u{202e}", "\\u{1b}[2J.local");
    isTame((await keyturn("inspect", file)).stdout, "\\u{9b}31m", "\\u{2066}");
    isTame((await ask("history", "evil")).stdout, "live");
    for (const argv of [["status"], ["history", "evil"], ["inspect", file]]) {
      const { stdout } = await (argv[0] === "inspect" ? keyturn : ask)(...argv, "--json");
      isTame(stdout, "\\u009b31m");
      assert.ok(JSON.stringify(JSON.parse(stdout)).includes("\u009b31m"), argv.join(" "));
    }
  });

  it("are shown in the log for people as what they are", async (t) => {
    const { etcd, folder, settings } = await useStand(t);
    const configFile = join(folder, "keyturn.yaml");
    const output = { dir: join(folder, "output") };
    const log = { level: "debug", format: "text" };
    const config = { ...settings, admin: { listen: "127.0.0.1:0" }, output, log };
    await writeFile(configFile, stringify(config));
    await etcd.put("/certs/evil", GOOD);
    await etcd.put("/certs/expired", EXPIRED.pem + EXPIRED.keyPem);
    await etcd.put("/certs/\u009b2J\u202e", GOOD);

    const child = spawnKeyturn(["run", "--config", configFile]);
    t.after(() => child.kill("SIGKILL"));
    let text = "";
    child.stdout?.setEncoding("utf8").on("data", (chunk) => {
      text += chunk;
    });
    await until("all of it is told", () =>
      ["bundle is live", "CERTIFICATE_EXPIRED", "key is ignored"].every((word) => text.includes(word)),
    );

    isTame(text, "\\u{9b}31m", "\\u{202e}", "\\u{9b}2J");
  });
});
