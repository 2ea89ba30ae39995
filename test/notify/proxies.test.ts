/** Each way against the proxy it is made for: turned twenty times under load, seen from outside. */
import assert from "node:assert/strict";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import type { Notice, ServiceAnswer } from "../../src/core/service.ts";
import { notifyExec } from "../../src/notify/exec.ts";
import { notifyHaproxy } from "../../src/notify/haproxy.ts";
import { notifySignal } from "../../src/notify/signal.ts";
import { Turns } from "../../src/notify/turns.ts";
import { collectAttempts } from "../support/attempts.ts";
import { useFolder } from "../support/folder.ts";
import { useHaproxy } from "../support/haproxy.ts";
import { useNginx } from "../support/nginx.ts";
import { noticeOf } from "../support/notice.ts";
import { createBundleMaker } from "../support/pki.ts";
import { rotateUnderLoad, useKeptConnection } from "../support/rotations.ts";

const SERVER_NAME = "web.local";
const TIMES = 20;
const TIMEOUT_MS = 30_000;

type Tell = (notice: Notice, signal: AbortSignal) => Promise<ServiceAnswer>;

/** A folder with a bundle's files, and a way to put the next ones there and tell of them. */
async function setUp(t: TestContext) {
  const folder = await useFolder(t);
  const pki = await createBundleMaker();
  const cert = join(folder, "tls.crt");
  const key = join(folder, "tls.key");
  const combined = join(folder, "tls.pem");
  const replace = async (path: string, content: string) => {
    await writeFile(`${path}.new`, content, { mode: 0o600 });
    await rename(`${path}.new`, path);
  };
  const write = async () => {
    const bundle = await pki.make(SERVER_NAME);
    await replace(key, bundle.key);
    await replace(cert, bundle.chain);
    await replace(combined, bundle.key + bundle.chain);
    return bundle.leaf.fingerprint256;
  };
  const notice = noticeOf();
  const at = { ...notice, paths: { ...notice.paths, cert, key, combined } };
  const rotateBy = (tell: Tell) => async () => {
    const fingerprint = await write();
    assert.deepEqual(await tell(at, new AbortController().signal), { kind: "done" });
    return fingerprint;
  };
  await write();
  const target = (port: number) => ({ port, serverName: SERVER_NAME, ca: pki.root.certificatePem });
  return { folder, cert, key, combined, rotateBy, target, options: collectAttempts().options };
}

describe("nginx, turned twenty times under load", () => {
  it("by its own reload loses no handshake", async (t) => {
    const { folder, cert, key, rotateBy, target, options } = await setUp(t);
    const nginx = await useNginx(t, folder, { cert, key });
    await nginx.start();
    const rotate = rotateBy((notice, signal) =>
      notifyExec({ ...options, argv: nginx.reload, timeoutMs: TIMEOUT_MS }, notice, signal),
    );
    const seen = await rotateUnderLoad(target(nginx.port), TIMES, rotate);
    assert.deepEqual(seen.failures, []);
    assert.ok(seen.leaves >= TIMES, `${seen.leaves} leaves in ${seen.handshakes} handshakes`);
  });

  it("by a signal to its master loses no handshake", async (t) => {
    const { folder, cert, key, rotateBy, target, options } = await setUp(t);
    const nginx = await useNginx(t, folder, { cert, key });
    await nginx.start();
    const to = { pidFile: nginx.pidFile, signal: "SIGHUP", processName: "nginx" } as const;
    const rotate = rotateBy((notice, signal) => notifySignal({ ...options, ...to }, notice, signal));
    const seen = await rotateUnderLoad(target(nginx.port), TIMES, rotate);
    assert.deepEqual(seen.failures, []);
    assert.ok(seen.leaves >= TIMES, `${seen.leaves} leaves in ${seen.handshakes} handshakes`);
  });

  it("says why it does not reload where its files do not fit", async (t) => {
    const { folder, cert, key, rotateBy, options } = await setUp(t);
    const nginx = await useNginx(t, folder, { cert, key });
    await nginx.start();
    const other = await createBundleMaker();
    await rotateBy(async (notice, signal) => {
      await writeFile(key, (await other.make()).key);
      const exec = { ...options, argv: nginx.reload, timeoutMs: TIMEOUT_MS };
      const answer = await notifyExec(exec, notice, signal);
      assert.equal(answer.kind, "failed");
      assert.match(answer.message, /ended with 1: .*key values mismatch/);
      return { kind: "done" };
    })();
  });
});

describe("haproxy, turned twenty times under load", () => {
  it("by its runtime socket loses no handshake, and a kept connection outlives them all", async (t) => {
    const { folder, combined, rotateBy, target, options } = await setUp(t);
    const haproxy = await useHaproxy(t, folder, { certificates: [combined] });
    await haproxy.start();
    const to = { socketPath: haproxy.socketPath, timeoutMs: TIMEOUT_MS, turns: new Turns() };
    const rotate = rotateBy((notice, signal) => notifyHaproxy({ ...options, ...to }, notice, signal));
    const request = useKeptConnection(t, target(haproxy.port));
    const ports = new Set([await request()]);
    const seen = await rotateUnderLoad(target(haproxy.port), TIMES, rotate, async () => {
      ports.add(await request());
    });
    assert.deepEqual(seen.failures, []);
    assert.equal(ports.size, 1);
    assert.ok(seen.leaves >= TIMES, `${seen.leaves} leaves in ${seen.handshakes} handshakes`);
  });
});
