/** A program that is there to be run, and its own words where it refuses. What it does under load is seen end to end. */
import assert from "node:assert/strict";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import type { Notice, ServiceAnswer } from "../../src/core/service.ts";
import { notifyExec } from "../../src/notify/exec.ts";
import { collectAttempts } from "../support/attempts.ts";
import { useFolder } from "../support/folder.ts";
import { useNginx } from "../support/nginx.ts";
import { noticeOf } from "../support/notice.ts";
import { createBundleMaker } from "../support/pki.ts";

const SERVER_NAME = "web.local";
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
  return { folder, cert, key, rotateBy, options: collectAttempts().options };
}

describe("nginx", () => {
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
