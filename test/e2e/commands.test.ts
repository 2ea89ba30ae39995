import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { runKeyturn, spawnKeyturn, useDaemon } from "../support/daemon.ts";
import { useEtcd } from "../support/etcd.ts";
import { useFolder } from "../support/folder.ts";
import { createBundleMaker } from "../support/pki.ts";
import { until } from "../support/wait.ts";

const run = promisify(execFile);

describe("keyturn check-config", () => {
  it("prints what is in force, with flags over the environment over the file", async (t) => {
    const file = join(await useFolder(t), "keyturn.yaml");
    await writeFile(file, "queue: { splay: 1s, concurrency: 2 }\netcd: { prefix: /a/ }\n");
    const env = { KEYTURN_QUEUE_SPLAY: "2s", KEYTURN_ETCD_PREFIX: "/b/" };

    const { code, stdout } = await runKeyturn(
      ["check-config", "--config", file, "--json", "--queue-splay", "3s"],
      env,
    );

    const { ok, config } = JSON.parse(stdout) as {
      ok: boolean;
      config: { queue: object; etcd: { prefix: string } };
    };
    assert.deepEqual([code, ok], [0, true]);
    assert.deepEqual(config.queue, { concurrency: 2, splay: 3_000 });
    assert.equal(config.etcd.prefix, "/b/");
  });

  it("names file, line, column and setting of everything that is wrong, and exits 2", async (t) => {
    const file = join(await useFolder(t), "keyturn.yaml");
    await writeFile(file, "etcd:\n  prefx: /a/\noutput: { keep: none }\n");

    const { code, stdout, stderr } = await runKeyturn(["check-config", "--config", file]);

    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, /CONFIG_INVALID/);
    assert.ok(stderr.includes(`${file}:2:3: etcd.prefx: there is no such setting`));
    assert.ok(stderr.includes(`${file}:3:11: output.keep: expected a whole number`));
  });
});

describe("keyturn status", () => {
  it("shows bundles, exits 0 where the node is ready and 1 where it is not", async (t) => {
    const [etcd, folder, pki] = await Promise.all([useEtcd(t), useFolder(t), createBundleMaker()]);
    const daemon = await useDaemon(t, folder, { etcd: { endpoints: [etcd.endpoint] } });
    const listen = new URL(daemon.adminUrl).host;
    await etcd.put("/certs/inference", (await pki.make()).whole);
    await daemon.untilLive("inference");

    const ready = await runKeyturn(["status", "--admin-listen", listen]);
    await etcd.put("/certs/broken", "not PEM");
    await until("it is rejected", async () => (await daemon.bundle("broken"))?.state === "rejected");
    const notReady = await runKeyturn(["status", "--admin-listen", listen]);
    const json = await runKeyturn(["status", "--admin-listen", listen, "--json"]);

    assert.equal(ready.code, 0);
    assert.match(ready.stdout, /^test-node: keyturn \d.*, ready\n/);
    assert.match(
      ready.stdout,
      /inference +live +30\.0 d +000001-[0-9a-f]{8} +\d+ +.*inference\.local,127\.0\.0\.1/,
    );
    assert.equal(notReady.code, 1);
    assert.match(notReady.stdout, /broken: rejected\n +PEM_MISSING: \/certs\/broken has no certificate/);
    assert.equal(JSON.parse(json.stdout).node, "test-node");
  });

  it("says what to look at when no daemon answers", async () => {
    const { code, stderr } = await runKeyturn(["status", "--admin-listen", "127.0.0.1:1"]);

    assert.equal(code, 1);
    assert.match(stderr, /DAEMON_UNREACHABLE: no daemon answers on http:\/\/127\.0\.0\.1:1\/status/);
  });
});

describe("keyturn", () => {
  for (const args of [["rnu"], ["run", "--no-such-flag"], ["demo", "--rotations", "some"]]) {
    it(`exits 2 on \`${args.join(" ")}\`, and says why`, async () => {
      const { code, stderr } = await runKeyturn(args);

      assert.equal(code, 2);
      assert.ok(stderr.length > 0);
    });
  }

  it("explains itself", async () => {
    const { code, stdout } = await runKeyturn(["--help"]);

    assert.equal(code, 0);
    for (const command of ["run", "check-config", "status", "demo"])
      assert.match(stdout, new RegExp(`^ +${command} `, "m"));
  });
});

describe("keyturn run --dev", () => {
  it("prints commands that work as they stand, and leaves nothing behind", async (t) => {
    const before = await readdir(tmpdir());
    const child = spawnKeyturn(["run", "--dev"]);
    t.after(() => child.kill("SIGKILL"));
    let [log, help] = ["", ""];
    child.stdout?.on("data", (chunk) => {
      log += chunk;
    });
    child.stderr?.on("data", (chunk) => {
      help += chunk;
    });
    const command = (what: string) =>
      until(`it says how to ${what}`, () => new RegExp(`${what} +(.*)`).exec(help)?.[1]);

    await run("sh", ["-c", await command("put a bundle")]);
    await until("it is live", () => log.includes('"msg":"bundle is live"'));
    const listing = await run("sh", ["-c", await command("see it on disk")]);
    const gone = once(child, "exit");
    child.kill("SIGINT");
    await gone;

    assert.match(listing.stdout, /tls\.pem -> current\/tls\.pem/);
    assert.equal(child.exitCode, 0);
    const left = (await readdir(tmpdir())).filter(
      (name) => /^keyturn-(dev|etcd)-/.test(name) && !before.includes(name),
    );
    const mine = left.filter((name) => help.includes(name));
    assert.deepEqual(mine, []);
  });
});

describe("keyturn demo", () => {
  it("rotates under load with nothing dropped, and leaves no process behind", async () => {
    const { code, stdout, stderr } = await runKeyturn(["demo", "--rotations", "4", "--every", "0.2"]);

    assert.equal(stderr, "");
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^4 rotations, p50 of put→hook \d/m);
    assert.match(stdout, /^bad bundles rejected: 1; /m);
    assert.match(stdout, /, 0 failed$/m);
    const endpoint = /etcd (http:\/\/127\.0\.0\.1:\d+)/.exec(stdout)?.[1];
    assert.ok(endpoint);
    const processes = await commandLines();
    assert.ok(!processes.some((line) => line.includes(endpoint)));
  });
});

/** Command lines of all processes of this machine. */
async function commandLines(): Promise<string[]> {
  const ids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  return Promise.all(ids.map((id) => readFile(`/proc/${id}/cmdline`, "utf8").catch(() => "")));
}
