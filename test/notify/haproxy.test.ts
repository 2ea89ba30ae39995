import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import type { Notice } from "../../src/core/service.ts";
import { type HaproxyOptions, notifyHaproxy } from "../../src/notify/haproxy.ts";
import { Turns } from "../../src/notify/turns.ts";
import { collectAttempts } from "../support/attempts.ts";
import { useFolder } from "../support/folder.ts";
import { shakeHands } from "../support/handshakes.ts";
import { type HaproxySettings, useHaproxy } from "../support/haproxy.ts";
import { noticeOf } from "../support/notice.ts";
import { type BundlePems, createBundleMaker } from "../support/pki.ts";

const SERVER_NAME = "web.local";
const pki = await createBundleMaker();
const make = () => pki.make(SERVER_NAME);
const pemOf = ({ key, chain }: BundlePems) => key + chain;

function noticeAt(combined: string | null): Notice {
  const notice = noticeOf();
  return { ...notice, paths: { ...notice.paths, combined } };
}

/** Tells the haproxy on the socket of what is at `combined`. */
function wayOf(socketPath: string, combined: string | null, options: Partial<HaproxyOptions> = {}) {
  const { attempts, options: base } = collectAttempts();
  const all = { ...base, socketPath, timeoutMs: 30_000, turns: new Turns(), ...options };
  const tell = (signal = new AbortController().signal) => notifyHaproxy(all, noticeAt(combined), signal);
  return { attempts, tell };
}

/** A haproxy that runs with a first certificate, whose file then has other content. */
async function setUp(
  t: TestContext,
  settings: Partial<HaproxySettings> = {},
  next: (bundle: BundlePems) => string = pemOf,
  name = "tls.pem",
) {
  const folder = await useFolder(t);
  const combined = join(folder, name);
  const [old, fresh] = [await make(), await make()];
  await mkdir(dirname(combined), { recursive: true });
  await writeFile(combined, pemOf(old));
  const haproxy = await useHaproxy(t, folder, { certificates: [combined], ...settings });
  await haproxy.start();
  await writeFile(combined, next(fresh));
  const served = () => shakeHands({ port: haproxy.port, serverName: SERVER_NAME, ca: old.ca });
  return { folder, combined, haproxy, old, fresh, served, ...wayOf(haproxy.socketPath, combined) };
}

function assertNoKey(said: unknown, { key }: BundlePems): void {
  const text = JSON.stringify(said);
  const lines = key.split("\n").filter((line) => line.length > 20 && !line.startsWith("-----"));
  assert.ok(lines.length > 0);
  for (const line of lines) assert.equal(text.includes(line), false, text);
}

describe("a running haproxy", () => {
  it("serves the new certificate to new connections once it was told", async (t) => {
    const { haproxy, combined, fresh, served, tell, attempts } = await setUp(t);
    assert.deepEqual(await tell(), { kind: "done" });
    assert.equal(await served(), fresh.leaf.fingerprint256);
    assert.deepEqual(
      attempts.map(({ attempt, result, message }) => [attempt, result, message]),
      [[1, "delivered", `web: haproxy committed ${combined} on ${haproxy.socketPath}`]],
    );
  });

  it("takes it for a certificate that it knows by another path", async (t) => {
    const { folder, haproxy, combined, served } = await setUp(t);
    const other = join(folder, "other.pem");
    const { leaf, ...third } = await make();
    await writeFile(other, pemOf({ leaf, ...third }));
    const { tell } = wayOf(haproxy.socketPath, other, { certificate: combined });
    assert.deepEqual(await tell(), { kind: "done" });
    assert.equal(await served(), leaf.fingerprint256);
  });

  it("takes it for a path with blanks and what haproxy has a meaning for", async (t) => {
    const { fresh, served, tell } = await setUp(t, {}, pemOf, "a b;c\\d/tls.pem");
    assert.deepEqual(await tell(), { kind: "done" });
    assert.equal(await served(), fresh.leaf.fingerprint256);
  });

  it("takes a file with empty lines and carriage returns, and never the rest of it for commands", async (t) => {
    const { fresh, served, tell } = await setUp(t, {}, (bundle) =>
      `\n\r\n${pemOf(bundle).replaceAll("-----\n", "-----\r\n\r\n\n")}\n\n`.replace("\r\n\r\n\n", "\n"),
    );
    assert.deepEqual(await tell(), { kind: "done" });
    assert.equal(await served(), fresh.leaf.fingerprint256);
  });

  it("goes on with a transaction that was left open for the same certificate", async (t) => {
    const { haproxy, combined, old, fresh, served, tell } = await setUp(t);
    const left = await haproxy.ask(`set ssl cert ${combined} <<\n${pemOf(old)}`);
    assert.match(left, /Transaction created/);
    assert.deepEqual(await tell(), { kind: "done" });
    assert.equal(await served(), fresh.leaf.fingerprint256);
  });

  it("is not told where that was called off before", async (t) => {
    const { old, served, tell, attempts } = await setUp(t);
    const reason = new Error("newer content came");
    await assert.rejects(tell(AbortSignal.abort(reason)), reason);
    assert.deepEqual([attempts.length, await served()], [0, old.leaf.fingerprint256]);
  });
});

describe("a haproxy that is not there", () => {
  it("is unreachable where there is no socket", async (t) => {
    const folder = await useFolder(t);
    const [socketPath, combined] = [join(folder, "none.sock"), join(folder, "tls.pem")];
    await writeFile(combined, pemOf(await make()));
    const { tell, attempts } = wayOf(socketPath, combined);
    assert.deepEqual(await tell(), {
      kind: "unreachable",
      message: `web: haproxy does not listen on ${socketPath} (ENOENT)`,
    });
    assert.equal(attempts[0]?.result, "unreachable");
  });

  it("is unreachable where it left its socket behind", async (t) => {
    const { haproxy, tell } = await setUp(t);
    await haproxy.stop();
    const answer = await tell();
    assert.equal(answer.kind, "unreachable");
    assert.match(answer.message, /ECONNREFUSED/);
  });
});

describe("a haproxy that does not take it", () => {
  for (const level of ["operator", "user"] as const) {
    it(`because its socket is of level ${level} has failed, and it is said what to do`, async (t) => {
      const { haproxy, old, served, tell } = await setUp(t, { level });
      assert.deepEqual(await tell(), {
        kind: "failed",
        message: `web: haproxy does not allow it on ${haproxy.socketPath}: its "stats socket" needs "level admin"`,
      });
      assert.equal(await served(), old.leaf.fingerprint256);
    });
  }

  it("because it has not loaded it has failed, and it is said what it knows", async (t) => {
    const { folder, haproxy, combined } = await setUp(t);
    const other = join(folder, "other.pem");
    await writeFile(other, pemOf(await make()));
    assert.deepEqual(await wayOf(haproxy.socketPath, other).tell(), {
      kind: "failed",
      message:
        `web: haproxy has not loaded ${other}, it knows ${combined}: ` +
        "set notify.haproxy.certificate to the path of its crt",
    });
  });

  for (const [what, next] of [
    ["the key is of another certificate", (bundle: BundlePems) => pki.root.privateKeyPem + bundle.chain],
    ["there is no key", (bundle: BundlePems) => bundle.chain],
    ["there is no certificate", (bundle: BundlePems) => bundle.key],
    ["it is empty", () => ""],
  ] as const) {
    it(`because ${what} has failed, is left without a transaction, and serves what it served`, async (t) => {
      const { haproxy, old, fresh, served, tell, attempts } = await setUp(t, {}, next);
      const answer = await tell();
      assert.equal(answer.kind, "failed");
      assert.match(answer.message, /^web: haproxy did not take /);
      assertNoKey([answer, attempts], fresh);
      assert.doesNotMatch(await haproxy.ask("show ssl cert"), /transaction/);
      assert.equal(await served(), old.leaf.fingerprint256);
    });
  }

  for (const kilobytes of [20, 60]) {
    it(`because ${kilobytes} KB do not fit into its buffer has failed, and it is said what to raise`, async (t) => {
      const { old, served, tell } = await setUp(t, {}, (bundle) => {
        const count = Math.ceil((kilobytes << 10) / bundle.chain.length);
        return bundle.key + bundle.chain.repeat(count);
      });
      const answer = await tell();
      assert.equal(answer.kind, "failed");
      assert.match(answer.message, /raise tune\.bufsize in its global section, to (32768|65536|131072)$/);
      assert.equal(await served(), old.leaf.fingerprint256);
    });
  }

  it("of a size that fits once tune.bufsize is what was said is done", async (t) => {
    const { fresh, served, tell } = await setUp(t, { global: ["tune.bufsize 32768"] }, (bundle) => {
      const count = Math.ceil((20 << 10) / bundle.chain.length);
      return bundle.key + bundle.chain.repeat(count);
    });
    assert.deepEqual(await tell(), { kind: "done" });
    assert.equal(await served(), fresh.leaf.fingerprint256);
  });

  it("because the bundle has no key and certificate has failed", async (t) => {
    const { haproxy } = await setUp(t);
    assert.deepEqual(await wayOf(haproxy.socketPath, null).tell(), {
      kind: "failed",
      message: "web: inference has no certificate and key for haproxy: use exec or signal for it",
    });
  });

  it("because its file cannot be read has failed", async (t) => {
    const { haproxy, folder } = await setUp(t);
    const answer = await wayOf(haproxy.socketPath, join(folder, "gone.pem")).tell();
    assert.equal(answer.kind, "failed");
    assert.match(answer.message, /cannot read what haproxy is to get: ENOENT/);
  });
});

describe("a haproxy that hangs", () => {
  it("is busy when the time is over", async (t) => {
    const { haproxy, combined, tell: tellPatiently, fresh, served } = await setUp(t);
    const child = haproxy.process();
    child.kill("SIGSTOP");
    const { tell, attempts } = wayOf(haproxy.socketPath, combined, { timeoutMs: 300 });
    assert.deepEqual(await tell(), {
      kind: "busy",
      message: `web: haproxy did not answer within 300 ms on ${haproxy.socketPath}`,
    });
    assert.equal(attempts[0]?.result, "timeout");
    child.kill("SIGCONT");
    assert.deepEqual(await tellPatiently(), { kind: "done" });
    assert.equal(await served(), fresh.leaf.fingerprint256);
  });
});

describe("two certificates of one haproxy", () => {
  async function setUpTwo(t: TestContext) {
    const folder = await useFolder(t);
    const names = ["a.local", "b.local"] as const;
    const paths = names.map((name) => join(folder, `${name}.pem`)) as [string, string];
    const write = async (index: 0 | 1) => {
      const bundle = await pki.make(names[index]);
      await writeFile(paths[index], pemOf(bundle));
      return bundle.leaf.fingerprint256;
    };
    await write(0);
    await write(1);
    const haproxy = await useHaproxy(t, folder, { certificates: paths });
    await haproxy.start();
    const served = (index: 0 | 1) =>
      shakeHands({ port: haproxy.port, serverName: names[index], ca: pki.root.certificatePem });
    return { haproxy, paths, write, served };
  }

  it("are replaced in turn where both are told at the same time", async (t) => {
    const { haproxy, paths, write, served } = await setUpTwo(t);
    const turns = new Turns();
    const ways = paths.map((path) => wayOf(haproxy.socketPath, path, { turns }));
    for (let round = 0; round < 10; round++) {
      const wanted = [await write(0), await write(1)];
      const answers = await Promise.all(ways.map((way) => way.tell()));
      assert.deepEqual(answers, [{ kind: "done" }, { kind: "done" }]);
      assert.deepEqual([await served(0), await served(1)], wanted);
    }
  });

  it("wait for each other: a transaction that somebody opened for one is not touched for the other", async (t) => {
    const { haproxy, paths, write, served } = await setUpTwo(t);
    const wanted = await write(0);
    const first = await pki.make("b.local");
    await haproxy.ask(`set ssl cert ${paths[1]} <<\n${pemOf(first)}`);
    const answer = wayOf(haproxy.socketPath, paths[0]).tell();
    const committed = await haproxy.ask(`commit ssl cert ${paths[1]}`);
    assert.match(committed, /Success!/);
    assert.deepEqual(await answer, { kind: "done" });
    assert.deepEqual([await served(0), await served(1)], [wanted, first.leaf.fingerprint256]);
  });

  it("do not wait for ever: haproxy is busy, and it is said how to end what is open", async (t) => {
    const { haproxy, paths, write } = await setUpTwo(t);
    await write(0);
    await haproxy.ask(`set ssl cert ${paths[1]} <<\n${pemOf(await pki.make("b.local"))}`);
    const answer = await wayOf(haproxy.socketPath, paths[0], { timeoutMs: 500 }).tell();
    assert.deepEqual(answer, {
      kind: "busy",
      message:
        `web: haproxy has another transaction open (of ${paths[1]}: ` +
        `"abort ssl cert ${paths[1]}" ends it) on ${haproxy.socketPath}`,
    });
    const listing = await haproxy.ask("show ssl cert");
    assert.match(listing, new RegExp(`^\\*${paths[1]}$`, "m"));
  });
});
