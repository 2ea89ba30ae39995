/** What an operator does by hand, with the real command against the real daemon. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { runKeyturn, useDaemon } from "../support/daemon.ts";
import { useStand } from "../support/stand.ts";
import { stays, until } from "../support/wait.ts";

const KEY = "/certs/inference.pem";

/** A daemon that turned from a first content to a second, and the command to steer it. */
async function setUp(t: TestContext) {
  const { etcd, folder, receiver, pki, settings } = await useStand(t);
  const tokenFile = join(folder, "token");
  await writeFile(tokenFile, "let-me-in\n", { mode: 0o600 });
  const admin = { listen: "127.0.0.1:0", tokenFile };
  const daemon = await useDaemon(t, folder, { ...settings, admin });
  const contents = [await pki.make(), await pki.make()] as const;
  const generations: string[] = [];
  for (const { whole, leaf } of contents) {
    await etcd.put(KEY, whole);
    const live = await until("it is live", async () => {
      const bundle = await daemon.bundle("inference");
      return bundle?.live && bundle.generation?.leaf?.fingerprint256 === leaf.fingerprint256
        ? bundle
        : undefined;
    });
    generations.push(live.generation?.id ?? "");
  }
  const listen = new URL(daemon.adminUrl).host;
  const keyturn = (...argv: string[]) =>
    runKeyturn([...argv, "--config", daemon.configFile, "--admin-listen", listen]);
  return { etcd, daemon, receiver, pki, contents, generations, keyturn };
}

describe("a wrong token", () => {
  it("is counted each time, and in the log once, without a word of it", async (t) => {
    const { daemon } = await setUp(t);
    const guess = (token: string) =>
      fetch(new URL("/-/resync", daemon.adminUrl), {
        method: "POST",
        headers: { authorization: `Bearer ${token}` },
      });
    const answers = [await guess("let-you-in"), await guess("let-them-in")];

    const lines = daemon.log.filter(({ event }) => event === "admin.refused");
    assert.deepEqual(
      answers.map(({ status }) => status),
      [401, 401],
    );
    assert.equal(await daemon.metric("keyturn_admin_refusals_total", { reason: "wrong_token" }), 2);
    assert.deepEqual(
      lines.map(({ level, reason, request, from, times }) => [level, reason, request, from, times]),
      [["warn", "wrong_token", "POST /-/resync", "127.0.0.1", 1]],
    );
    assert.doesNotMatch(JSON.stringify(daemon.log), /let-(me|you|them)-in/);
  });
});

describe("keyturn rollback", () => {
  it("goes back, tells the services, and holds until the content in etcd changes", async (t) => {
    const { etcd, daemon, receiver, pki, contents, generations, keyturn } = await setUp(t);
    const [first, second] = generations;

    const { code, stdout } = await keyturn("rollback", "inference");
    const current = async () => (await daemon.bundle("inference"))?.generation?.id;
    await etcd.put(KEY, `# again\n${contents[1].whole}`);
    await until("it is seen", async () => (await daemon.bundle("inference"))?.state === "quarantined");
    await stays(async () => (await current()) === first, "the generation", 300);
    await etcd.put(KEY, (await pki.make()).whole);
    await until("the next content is live", async () => (await daemon.bundle("inference"))?.state === "live");
    await etcd.put(KEY, contents[1].whole);
    await until("the content of before is live too", async () => {
      const bundle = await daemon.bundle("inference");
      return bundle?.live && bundle.generation?.leaf?.fingerprint256 === contents[1].leaf.fingerprint256;
    });

    assert.equal(code, 0);
    assert.ok(stdout.includes(`${first} is current again, ${second} is in quarantine`), stdout);
    assert.deepEqual(
      receiver.hooks.map(({ event }) => event.data.reason),
      ["rotated", "rotated", "rolledBack", "rotated", "rotated"],
    );
    assert.equal(receiver.hooks[2]?.event.data.generation, first);
    const labels = { bundle: "inference", reason: "operator" };
    assert.equal(await daemon.metric("keyturn_rollbacks_total", labels), 1);
  });

  it("goes to the generation that is named, and refuses one that is not there", async (t) => {
    const { daemon, generations, keyturn } = await setUp(t);
    const [first = ""] = generations;

    const unknown = await keyturn("rollback", "inference", "--to", "000099-01234567");
    const known = await keyturn("rollback", "inference", "--to", first, "--json");

    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /GENERATION_UNKNOWN.*keyturn history inference/s);
    assert.equal(known.code, 0);
    assert.equal((JSON.parse(known.stdout) as { generation: string }).generation, first);
    assert.equal((await daemon.bundle("inference"))?.generation?.id, first);
  });
});

describe("keyturn retry", () => {
  it("takes content out of quarantine, and says how that ended", async (t) => {
    const { daemon, contents, keyturn } = await setUp(t);
    await keyturn("rollback", "inference");

    const { code, stdout } = await keyturn("retry", "inference");
    const again = await keyturn("retry", "inference");

    assert.equal(code, 0, stdout);
    const bundle = await daemon.bundle("inference");
    assert.equal(bundle?.generation?.leaf?.fingerprint256, contents[1].leaf.fingerprint256);
    assert.equal(again.code, 1);
    assert.match(again.stderr, /NOTHING_TO_DO/);
  });
});

describe("keyturn history", () => {
  it("lists what is on disk, with what was rolled back and why", async (t) => {
    const { generations, keyturn } = await setUp(t);
    await keyturn("rollback", "inference");

    const { code, stdout } = await keyturn("history", "inference");
    const unknown = await keyturn("history", "nobody");

    assert.equal(code, 0);
    for (const id of generations) assert.ok(stdout.includes(id), stdout);
    assert.match(stdout, /rolledBack.*an operator asked for it/);
    assert.equal(unknown.code, 1);
  });
});
