/** What happens to files behind keyturn's back: seen, put right, counted; services are told only where they have to be. */
import assert from "node:assert/strict";
import {
  chmod,
  mkdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  unlink,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { useDaemon } from "../support/daemon.ts";
import { useStand } from "../support/stand.ts";
import { useTlsService } from "../support/tls-service.ts";
import { stays, until } from "../support/wait.ts";

async function setUp(t: TestContext) {
  const { etcd, folder, receiver, pki, settings } = await useStand(t);
  const daemon = await useDaemon(t, folder, { ...settings, output: { auditEvery: "100ms" } });
  const pems = await pki.make();
  await etcd.put("/certs/inference.pem", pems.whole);
  await daemon.untilLive("inference");
  const dir = join(daemon.outputDir, "inference");
  const drifts = () => daemon.metric("keyturn_drift_total", { bundle: "inference" });
  return { etcd, daemon, receiver, pems, dir, drifts };
}

/** What is done, and whether a service could have read something wrong. */
const DAMAGES: readonly (readonly [string, (dir: string) => Promise<void>, boolean])[] = [
  ["a truncated key", (dir) => truncate(join(dir, "current", "tls.key"), 20), true],
  ["a changed file", (dir) => writeFile(join(dir, "current", "tls.crt"), "something else\n"), true],
  ["a changed mode", (dir) => chmod(join(dir, "current", "tls.key"), 0o644), false],
  ["a deleted link", (dir) => unlink(join(dir, "tls.crt")), true],
  ["a deleted file", (dir) => unlink(join(dir, "current", "tls.pem")), true],
  [
    "a link that leads elsewhere",
    async (dir) => {
      await unlink(join(dir, "tls.pem"));
      await symlink("/dev/null", join(dir, "tls.pem"));
    },
    true,
  ],
  ["a deleted folder of the generation", (dir) => rm(join(dir, ".generations"), { recursive: true }), true],
  ["a deleted folder of the bundle", (dir) => rm(dir, { recursive: true }), true],
  [
    "a folder in place of a file",
    async (dir) => {
      await rename(join(dir, "current", "tls.crt"), join(dir, "current", "moved"));
      await mkdir(join(dir, "current", "tls.crt"));
    },
    true,
  ],
];

describe("the upkeep", () => {
  for (const [what, damage, misleads] of DAMAGES) {
    it(`puts right ${what}, and ${misleads ? "tells the service" : "leaves the service in peace"}`, async (t) => {
      const { daemon, receiver, pems, dir, drifts } = await setUp(t);

      await damage(dir);
      await until("it is counted", async () => (await drifts()) > 0);
      await until("it is live", async () => (await daemon.bundle("inference"))?.live);

      const read = (name: string) => readFile(join(dir, name), "utf8");
      assert.ok((await read("tls.crt")).includes(pems.leaf.certificatePem));
      assert.equal(await read("tls.pem"), (await read("tls.key")) + (await read("tls.crt")));
      assert.equal((await stat(join(dir, "tls.key"))).mode & 0o777, 0o600);
      const reasons = receiver.hooks.map(({ event }) => event.data.reason);
      assert.deepEqual(reasons, misleads ? ["rotated", "repaired"] : ["rotated"]);
      assert.ok(daemon.log.some(({ event }) => event === "bundle.drifted"));
    });
  }

  it("is done at the start too", async (t) => {
    const { etcd, folder, receiver, pki, settings } = await useStand(t);
    const daemon = await useDaemon(t, folder, settings);
    const pems = await pki.make();
    await etcd.put("/certs/inference.pem", pems.whole);
    await daemon.untilLive("inference");
    await daemon.stop();
    await truncate(join(daemon.outputDir, "inference", "tls.key"), 0);

    await useDaemon(t, folder, settings);
    await until("the service is told", () => receiver.hooks.length === 2);

    assert.ok(
      (await readFile(join(daemon.outputDir, "inference", "tls.pem"), "utf8")).includes(
        pems.leaf.certificatePem,
      ),
    );
    assert.notEqual((await stat(join(daemon.outputDir, "inference", "tls.key"))).size, 0);
  });

  it("touches nothing where nothing is wrong", async (t) => {
    const { receiver, dir, drifts } = await setUp(t);
    const before = await stat(join(dir, "current", "tls.key"));

    await stays(async () => (await drifts()) === 0, "nothing drifted", 500);
    const after = await stat(join(dir, "current", "tls.key"));

    assert.deepEqual([after.mtimeMs, after.ctimeMs, after.ino], [before.mtimeMs, before.ctimeMs, before.ino]);
    assert.equal(receiver.hooks.length, 1);
  });
});

describe("a service with files of its own", () => {
  it("gets them before it is told, and has them put right", async (t) => {
    const { etcd, folder, receiver, pki, settings } = await useStand(t);
    const own = join(folder, "own");
    await mkdir(own);
    const files = [
      { path: join(own, "server.crt"), content: "fullchain" },
      { path: join(own, "server.key"), content: "key" },
      { path: join(own, "ca.crt"), content: "ca" },
    ];
    const [service] = settings.services;
    const services = [{ ...service, bundles: ["inference"], files }];
    const daemon = await useDaemon(t, folder, { ...settings, services, output: { auditEvery: "100ms" } });
    const pems = await pki.make();

    await etcd.put("/certs/inference.pem", pems.whole);
    await daemon.untilLive("inference");
    const first = await readFile(join(own, "server.crt"), "utf8");
    await writeFile(join(own, "server.crt"), "something else\n");
    await until("it is put right", async () => (await readFile(join(own, "server.crt"), "utf8")) === first);

    assert.equal(first, pems.chain);
    assert.equal(await readFile(join(own, "ca.crt"), "utf8"), pems.ca);
    assert.equal((await stat(join(own, "server.key"))).mode & 0o777, 0o600);
    await until("the service is told", () => receiver.hooks.at(-1)?.event.data.reason === "repaired");
  });
});

describe("a service that fell behind", () => {
  /** A live bundle, and a service that is looked at all the time and from now on answers a hook with this status. */
  async function fallBehind(t: TestContext, status: number) {
    let answers = 204;
    const { etcd, folder, receiver, pki, settings } = await useStand(t, {
      answer: (_hook, respond) => void respond.writeHead(answers).end(),
    });
    const [first, other] = [await pki.make(), await pki.make()];
    const service = await useTlsService(t, first);
    const verify = { tls: { address: `127.0.0.1:${service.port}`, within: "1s" }, every: "200ms" };
    const services = settings.services.map((one) => ({ ...one, bundles: ["inference"], verify }));
    const daemon = await useDaemon(t, folder, { ...settings, services });
    await etcd.put("/certs/inference.pem", first.whole);
    await daemon.untilLive("inference");
    answers = status;
    service.serve(other);
    await until("it is not live", async () => (await daemon.bundle("inference"))?.live === false);
    return { daemon, receiver, service, first };
  }

  it("and takes no hook is well once a look finds that it is right again, and is told no more", async (t) => {
    const { daemon, receiver, service, first } = await fallBehind(t, 422);
    service.serve(first);
    const bundle = await until("it is live again", async () => {
      const now = await daemon.bundle("inference");
      return now?.live && now.state === "live" ? now : undefined;
    });
    const hooks = receiver.hooks.length;

    await stays(() => receiver.hooks.length === hooks, "it is left in peace", 600);
    assert.equal(bundle.lastReload?.outcome, "live");
    assert.equal((await daemon.status()).ready, true);
  });

  it("and was down when it was to be told is well once it is up", async (t) => {
    const { daemon, receiver, service, first } = await fallBehind(t, 422);
    await receiver.close();
    await until("it cannot be told", async () => (await daemon.bundle("inference"))?.state === "current");
    service.serve(first);

    await daemon.untilLive("inference");
    assert.equal((await daemon.status()).ready, true);
  });
});
