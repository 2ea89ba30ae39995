import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { useDaemon } from "../support/daemon.ts";
import { useHaproxy } from "../support/haproxy.ts";
import { useNginx } from "../support/nginx.ts";
import { rotateUnderLoad, useKeptConnection } from "../support/rotations.ts";
import { useStand } from "../support/stand.ts";
import { until } from "../support/wait.ts";

const SERVER_NAME = "web.local";
const TIMES = 20;

/** A stand for one proxy, whose files are where the daemon is going to write them. */
async function setUp(t: TestContext) {
  const { etcd, folder, pki, settings } = await useStand(t);
  const put = async () => {
    const bundle = await pki.make(SERVER_NAME);
    await etcd.put("/certs/web.pem", bundle.whole);
    return bundle.leaf.fingerprint256;
  };
  /** The daemon with the proxy as its service `web`, and a first bundle on disk that the proxy was not told of. */
  const run = async (notify: object, port: number) => {
    const tls = { address: `127.0.0.1:${port}`, serverName: SERVER_NAME, within: "30s", connections: 3 };
    const services = [{ name: "web", bundles: ["web"], notify, verify: { tls } }];
    const daemon = await useDaemon(t, folder, { ...settings, services });
    await put();
    await until("it waits for the proxy", async () => {
      return (await daemon.bundle("web"))?.lastReload?.outcome === "pending";
    });
    return daemon;
  };
  const target = (port: number) => ({ port, serverName: SERVER_NAME, ca: pki.root.certificatePem });
  return { folder, dir: join(folder, "output", "web"), put, run, target };
}

/** Puts one bundle after another; each is live before the next is put. */
function rotateBy(
  put: () => Promise<string>,
  daemon: Awaited<ReturnType<typeof useDaemon>>,
): () => Promise<string> {
  return async () => {
    const fingerprint = await put();
    await until("it is live", async () => {
      const bundle = await daemon.bundle("web");
      return bundle?.live && bundle.generation?.leaf?.fingerprint256 === fingerprint;
    });
    return fingerprint;
  };
}

/** Every handshake succeeded, every leaf was served, and every bundle went live at once. */
async function assertNothingLost(
  { failures, leaves, handshakes }: Awaited<ReturnType<typeof rotateUnderLoad>>,
  daemon: Awaited<ReturnType<typeof useDaemon>>,
): Promise<void> {
  assert.deepEqual(failures, []);
  assert.ok(leaves >= TIMES, `${leaves} leaves in ${handshakes} handshakes`);
  const reloads = (outcome: string) => daemon.metric("keyturn_reloads_total", { bundle: "web", outcome });
  const counts = await Promise.all(["live", "rolledBack", "failed"].map(reloads));
  assert.deepEqual(counts, [TIMES + 1, 0, 0]);
}

describe("nginx behind keyturn, turned twenty times under load", () => {
  it("by exec loses no handshake, and serves each new leaf", async (t) => {
    const { folder, dir, put, run, target } = await setUp(t);
    const files = { cert: join(dir, "tls.crt"), key: join(dir, "tls.key") };
    const nginx = await useNginx(t, folder, files);
    // 69 (EX_UNAVAILABLE): not running, which is no failure.
    const script = 'test -s "$0" || exit 69; exec "$@"';
    const argv = ["sh", "-c", script, nginx.pidFile, ...nginx.reload];
    const daemon = await run({ exec: { argv } }, nginx.port);
    await nginx.start();
    await daemon.untilLive("web");
    const seen = await rotateUnderLoad(target(nginx.port), TIMES, rotateBy(put, daemon));
    await assertNothingLost(seen, daemon);
  });

  it("by a signal loses no handshake, and serves each new leaf", async (t) => {
    const { folder, dir, put, run, target } = await setUp(t);
    const files = { cert: join(dir, "tls.crt"), key: join(dir, "tls.key") };
    const nginx = await useNginx(t, folder, files);
    const signal = { pidFile: nginx.pidFile, processName: "nginx" };
    const daemon = await run({ signal }, nginx.port);
    await nginx.start();
    await daemon.untilLive("web");
    const seen = await rotateUnderLoad(target(nginx.port), TIMES, rotateBy(put, daemon));
    await assertNothingLost(seen, daemon);
  });
});

describe("haproxy behind keyturn, turned twenty times under load", () => {
  it("loses no handshake, serves each new leaf, and a kept connection outlives them all", async (t) => {
    const { folder, dir, put, run, target } = await setUp(t);
    const haproxy = await useHaproxy(t, folder, { certificates: [join(dir, "tls.pem")] });
    const daemon = await run({ haproxy: { socketPath: haproxy.socketPath } }, haproxy.port);
    await haproxy.start();
    await daemon.untilLive("web");
    const request = useKeptConnection(t, target(haproxy.port));
    const ports = new Set([await request()]);
    const rotate = rotateBy(put, daemon);
    const seen = await rotateUnderLoad(target(haproxy.port), TIMES, rotate, async () => {
      ports.add(await request());
    });
    assert.equal(ports.size, 1);
    await assertNothingLost(seen, daemon);
  });
});
