import assert from "node:assert/strict";
import { createPrivateKey } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, it, type TestContext } from "node:test";
import type { PutReport } from "../../src/cli/put-report.ts";
import { linesOfKey, partsOf, writeBundleFiles } from "../support/bundle-files.ts";
import { runKeyturn, useDaemon } from "../support/daemon.ts";
import { useEtcd } from "../support/etcd.ts";
import { PASSWORD, useGuardedEtcd } from "../support/guarded-etcd.ts";
import { mint, mintAuthority, mintCrl } from "../support/mint.ts";
import { writePkcs12 } from "../support/pkcs12.ts";
import { type BundleMaker, createBundleMaker } from "../support/pki.ts";
import { usePutGate } from "../support/put-gate.ts";
import { useStand } from "../support/stand.ts";
import { useWriter } from "../support/writer.ts";

const DEAD = "http://127.0.0.1:1";
let pki: BundleMaker;
before(async () => {
  pki = await createBundleMaker();
});

/** An etcd, a bundle as files, and `keyturn put inference` with it. */
async function setUp(t: TestContext) {
  const [etcd, bundle] = await Promise.all([useEtcd(t), pki.make()]);
  const files = await writeBundleFiles(t, { ...partsOf(bundle), "whole.pem": bundle.whole });
  const parts = ["--cert", files["tls.crt"], "--key", files["tls.key"], "--ca", files["ca.crt"]];
  const put = (...args: readonly string[]) => putInto(etcd.endpoint, ...args);
  return { etcd, writer: useWriter(t, etcd.endpoint), bundle, files, parts, put };
}

function putInto(endpoints: string, ...args: readonly string[]) {
  return runKeyturn(["put", "inference", "--etcd-endpoints", endpoints, ...args]);
}

function reportIn({ stdout, stderr }: { readonly stdout: string; readonly stderr: string }): PutReport {
  assert.notEqual(stdout, "", stderr);
  return JSON.parse(stdout) as PutReport;
}

describe("keyturn put", () => {
  it("is live on a node after it, with the digest that it told; what is put again changes nothing", async (t) => {
    const { etcd, folder, receiver, settings } = await useStand(t);
    const daemon = await useDaemon(t, folder, settings);
    const bundle = await pki.make();
    const files = await writeBundleFiles(t, partsOf(bundle));
    const args = ["--cert", files["tls.crt"], "--key", files["tls.key"], "--ca", files["ca.crt"], "--json"];

    const put = reportIn(await putInto(etcd.endpoint, ...args));
    const live = await daemon.untilLive("inference", put.digest ?? "");
    const again = await putInto(etcd.endpoint, ...args);
    const inspected = await runKeyturn(["inspect", "--json", ...Object.values(files)]);

    assert.equal(put.outcome, "put");
    assert.deepEqual([live.generation?.revision, await etcd.revision()], [put.revision, put.revision]);
    assert.equal(await readFile(join(daemon.outputDir, "inference", "tls.key"), "utf8"), bundle.key);
    assert.deepEqual([again.code, reportIn(again).outcome], [0, "unchanged"]);
    assert.equal((JSON.parse(inspected.stdout) as PutReport).digest, put.digest);
    assert.equal(receiver.hooks.length, 1);
  });

  it("tells revision, digest, keys and what comes next, and nothing of the key", async (t) => {
    const { etcd, writer, bundle, parts, put } = await setUp(t);

    const { code, stdout, stderr } = await put(...parts);

    assert.deepEqual([code, stderr], [0, ""]);
    assert.ok(stdout.startsWith(`inference: put at revision ${await etcd.revision()}\n  digest     sha256:`));
    assert.match(stdout, / {2}next +every node that takes inference checks it again/);
    for (const line of linesOfKey(bundle.key)) assert.ok(!stdout.includes(line));
    assert.deepEqual(await writer.content(), {
      "/certs/inference/tls.crt": bundle.chain,
      "/certs/inference/tls.key": bundle.key,
      "/certs/inference/ca.crt": bundle.ca,
    });
  });

  it("changes the shape in one revision, and leaves the labels", async (t) => {
    const { etcd, writer, files, put } = await setUp(t);
    await put(files["whole.pem"]);
    await writer.put("/certs/inference/meta.json", "{}");
    const before = await etcd.revision();
    const next = await pki.make();
    const nextFiles = await writeBundleFiles(t, partsOf(next));

    const args = ["--cert", nextFiles["tls.crt"], "--key", nextFiles["tls.key"], "--ca", nextFiles["ca.crt"]];
    const { keys, deleted, revision } = reportIn(await put(...args, "--json"));

    assert.deepEqual([revision, await etcd.revision()], [before + 1, before + 1]);
    assert.deepEqual([keys.length, deleted], [3, ["/certs/inference.pem"]]);
    assert.deepEqual(Object.keys(await writer.content()).sort(), [
      "/certs/inference/ca.crt",
      "/certs/inference/meta.json",
      "/certs/inference/tls.crt",
      "/certs/inference/tls.key",
    ]);
  });

  it("puts a PKCS#12 file as it is, once it could be opened", async (t) => {
    const { etcd, bundle, put } = await setUp(t);
    const certificates = [...bundle.chain.split(/(?<=-----END CERTIFICATE-----\n)/), bundle.ca];
    const wish = { keys: [createPrivateKey(bundle.key)], certificates, passphrase: "open sesame" };
    const content = writePkcs12(wish);
    const files = await writeBundleFiles(t, { "bundle.pfx": content, passphrase: "open sesame\n" });

    const locked = await put(files["bundle.pfx"]);
    const before = await etcd.revision();
    const opened = await put(files["bundle.pfx"], "--passphrase-file", files.passphrase);

    assert.equal(locked.code, 1);
    assert.match(locked.stderr, /KEY_ENCRYPTED: .*\n {2}\(for this command alone: --passphrase-file FILE\)/);
    assert.equal(before, 1);
    assert.equal(opened.code, 0, opened.stderr);
    assert.match(opened.stdout, /opens it by the passphraseFile of its own checks\.rules/);
    const held = JSON.parse(await etcd.ctl(["get", "--write-out=json", "/certs/inference.p12"]));
    assert.equal(held.kvs[0].value, content.toString("base64"));
  });

  it("puts trust anchors alone", async (t) => {
    const { writer, bundle, files, put } = await setUp(t);

    const { code, stdout } = await put("--ca", files["ca.crt"]);

    assert.equal(code, 0);
    assert.match(stdout, /leaf +none: a trust bundle/);
    assert.deepEqual(await writer.content(), { "/certs/inference/ca.crt": bundle.ca });
  });

  it("writes nothing in a dry run, and tells what it would write", async (t) => {
    const { etcd, files, parts, put } = await setUp(t);
    await put(files["whole.pem"]);
    const before = await etcd.revision();
    const next = await writeBundleFiles(t, partsOf(await pki.make()));

    const args = ["--cert", next["tls.crt"], "--key", next["tls.key"], ...parts.slice(4)];
    const run = await put(...args, "--dry-run", "--json");

    const { ok, outcome, revision, keys, deleted } = reportIn(run);
    assert.deepEqual([run.code, ok, outcome, revision], [0, true, "wouldPut", null]);
    assert.deepEqual([keys.length, deleted], [3, ["/certs/inference.pem"]]);
    assert.equal(await etcd.revision(), before);
  });

  it("puts the same again only where that is asked for", async (t) => {
    const { etcd, files, put } = await setUp(t);
    await put(files["whole.pem"]);

    const again = await put(files["whole.pem"]);
    const before = await etcd.revision();
    const forced = await put(files["whole.pem"], "--force");

    assert.deepEqual([again.code, before, forced.code], [0, 2, 0]);
    assert.match(again.stdout, /^inference: unchanged since revision 2; nothing was written/);
    assert.match(forced.stdout, /^inference: put at revision 3/);
  });

  it("warns where everybody may read the private key, and puts it", async (t) => {
    const { bundle, put } = await setUp(t);
    const { open } = await writeBundleFiles(t, { open: bundle.whole }, ["open"]);

    const { code, stderr } = await put(open);

    assert.equal(code, 0);
    assert.equal(
      stderr,
      `keyturn: warning: ${open} holds a private key, and everybody on this machine may read it: chmod 600 ${open}\n`,
    );
  });

  it("says that nodes with this configuration leave the bundle out", async (t) => {
    const { files, put } = await setUp(t);

    const { stdout } = await put(files["whole.pem"], "--bundles-include", "mesh", "--dry-run");

    assert.match(stdout, /next +not nodes with this configuration, which leaves inference out/);
  });
});

describe("keyturn put of what is not good", () => {
  it("names three faults at once, exits 1, and asks etcd nothing", async (t) => {
    const root = mintAuthority("Root");
    const leaf = mint({ issuer: root, from: -40, until: -2 });
    const bad = leaf.pem + mint().keyPem + root.pem + mintCrl({ issuer: root, revoked: [leaf] });
    const files = await writeBundleFiles(t, { "bad.pem": bad });

    const text = await putInto(DEAD, files["bad.pem"]);
    const json = await putInto(DEAD, files["bad.pem"], "--json");

    assert.deepEqual([text.code, text.stdout, json.code], [1, "", 1]);
    assert.match(text.stderr, /^keyturn: inference was not put, for 3 problems:\n/);
    const { outcome, problems } = reportIn(json);
    const codes = problems.map(({ code }) => code);
    assert.deepEqual(
      [outcome, codes],
      ["rejected", ["CERTIFICATE_EXPIRED", "CERTIFICATE_REVOKED", "KEY_MISMATCH"]],
    );
    for (const code of codes) assert.ok(text.stderr.includes(`\n  ${code}: `), code);
  });

  it("refuses labels that would not be used", async (t) => {
    const { etcd, files, put } = await setUp(t);
    const { meta } = await writeBundleFiles(t, { meta: '{"labels": {"Model": "a"}}' });

    const { code, stderr } = await put(files["whole.pem"], "--meta", meta);

    assert.equal(code, 1);
    assert.match(stderr, /META_INVALID: .*meta is not used: "Model" is no free label name/);
    assert.equal(await etcd.revision(), 1);
  });

  it("refuses a file of more than 1 MiB, and one that is over a limit of etcd", async (t) => {
    const { etcd, bundle, put } = await setUp(t);
    const files = await writeBundleFiles(t, {
      large: bundle.whole.padStart((1 << 20) + 1, "\n"),
      chain: bundle.chain.padStart(1 << 20, "\n"),
      key: bundle.key.padStart(1 << 20, "\n"),
    });

    const large = await put(files.large);
    const together = await put("--cert", files.chain, "--key", files.key);

    assert.deepEqual([large.code, together.code], [1, 1]);
    assert.match(large.stderr, /VALUE_TOO_LARGE: .*large holds 1048577 bytes/);
    assert.match(
      together.stderr,
      /OVER_A_LIMIT: this is over a limit of etcd \(.*larg.*\), so nothing was written/,
    );
    assert.equal(await etcd.revision(), 1);
  });

  it("refuses to leave out trust anchors that are there, until that is said", async (t) => {
    const { etcd, parts, put } = await setUp(t);
    await put(...parts);
    const before = await etcd.revision();

    const refused = await put(...parts.slice(0, 4));
    const after = await etcd.revision();
    const agreed = await put(...parts.slice(0, 4), "--no-ca", "--json");

    assert.deepEqual([refused.code, after], [1, before]);
    assert.match(refused.stderr, /ANCHORS_WOULD_GO: .*give --ca, or give --no-ca to put it without/);
    assert.deepEqual(reportIn(agreed).deleted, ["/certs/inference/ca.crt"]);
  });

  for (const args of [[], ["/no/such/file"], ["--cert", "a.pem"], ["a.pem", "--no-such-flag"]]) {
    it(`exits 2 on \`put inference ${args.join(" ")}\``, async () => {
      const { code, stderr } = await putInto(DEAD, ...args);

      assert.equal(code, 2);
      assert.ok(stderr.length > 0);
    });
  }
});

describe("two who put the same bundle", () => {
  it("do not mix: who comes second is told, and nothing of theirs is there", async (t) => {
    const { etcd, writer, parts } = await setUp(t);
    const gate = await usePutGate(t, etcd.endpoint);
    const other = await pki.make();
    const otherFiles = await writeBundleFiles(t, { "other.pem": other.whole });

    const slow = putInto(gate.endpoint, ...parts, "--json");
    await gate.arrived;
    const fast = await putInto(etcd.endpoint, otherFiles["other.pem"]);
    gate.open();

    assert.equal(fast.code, 0);
    const { code, stdout, stderr } = await slow;
    const { outcome, error } = reportIn({ stdout, stderr });
    assert.deepEqual([code, outcome, error?.code], [1, "refused", "CHANGED_MEANWHILE"]);
    assert.match(
      stderr,
      /somebody else changed inference meanwhile \(\/certs\/inference\.pem\), so nothing was written/,
    );
    assert.deepEqual(await writer.content(), { "/certs/inference.pem": other.whole });
  });

  it("at once leave one bundle whole, and each is told the truth", async (t) => {
    const { etcd, writer } = await setUp(t);
    const bundles = await Promise.all([pki.make(), pki.make(), pki.make()]);
    const runs = await Promise.all(
      bundles.map(async (bundle) => {
        const files = await writeBundleFiles(t, partsOf(bundle));
        const args = [
          "--cert",
          files["tls.crt"],
          "--key",
          files["tls.key"],
          "--ca",
          files["ca.crt"],
          "--json",
        ];
        return { bundle, report: reportIn(await putInto(etcd.endpoint, ...args)) };
      }),
    );

    const done = runs.filter(({ report }) => report.ok);
    const last = done.find(
      ({ report }) => report.revision === Math.max(...done.map((run) => run.report.revision ?? 0)),
    );
    assert.ok(last !== undefined);
    assert.equal(await etcd.revision(), 1 + done.length);
    assert.deepEqual(await writer.content(), {
      "/certs/inference/tls.crt": last.bundle.chain,
      "/certs/inference/tls.key": last.bundle.key,
      "/certs/inference/ca.crt": last.bundle.ca,
    });
  });
});

describe("keyturn put where etcd", () => {
  it("does not answer says so for each endpoint, and exits 1", async (t) => {
    const { whole } = await writeBundleFiles(t, { whole: (await pki.make()).whole });

    const { code, stderr } = await putInto(`${DEAD},http://127.0.0.1:2`, whole);

    assert.equal(code, 1);
    assert.match(
      stderr,
      /ETCD_UNAVAILABLE: .*127\.0\.0\.1:1.*\n.*127\.0\.0\.1:2.*\n.*is etcd\.endpoints right\?/,
    );
  });

  it("is dead at its first endpoint uses the next", async (t) => {
    const { etcd, files } = await setUp(t);

    const { code } = await putInto(`${DEAD},${etcd.endpoint}`, files["whole.pem"]);

    assert.deepEqual([code, await etcd.revision()], [0, 2]);
  });

  it("lets the user only read says what is missing, and never the password", async (t) => {
    const { access, writer } = await useGuardedEtcd(t);
    const { whole } = await writeBundleFiles(t, { whole: (await pki.make()).whole });
    const user = ["--etcd-username", "keyturn", "--etcd-password-file", access.passwordFile];

    const refused = await putInto(access.endpoints.join(), whole, ...user);
    const dry = await putInto(access.endpoints.join(), whole, ...user, "--dry-run");

    assert.deepEqual([refused.code, dry.code], [1, 0]);
    assert.match(refused.stderr, /ETCD_DENIED: .*lets the user keyturn read these keys, and not write them/);
    assert.ok(!(refused.stderr + dry.stdout + dry.stderr).includes(PASSWORD));
    assert.deepEqual(await writer.content(), {});
  });
});
