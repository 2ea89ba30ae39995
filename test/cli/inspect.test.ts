import assert from "node:assert/strict";
import { createPrivateKey } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, it, type TestContext } from "node:test";
import type { InspectReport } from "../../src/cli/inspect-report.ts";
import { linesOfKey, partsOf, writeBundleFiles } from "../support/bundle-files.ts";
import { runKeyturn } from "../support/daemon.ts";
import { useEtcd } from "../support/etcd.ts";
import { useFolder } from "../support/folder.ts";
import { mint, mintAuthority, mintCrl } from "../support/mint.ts";
import { writePkcs12 } from "../support/pkcs12.ts";
import { type BundlePems, createBundleMaker } from "../support/pki.ts";

let bundle: BundlePems;
before(async () => {
  bundle = await (await createBundleMaker()).make("inference.local", "10.0.0.7");
});

async function inspectJson(...args: readonly string[]) {
  const { code, stdout, stderr } = await runKeyturn(["inspect", "--json", ...args]);
  assert.notEqual(stdout, "", stderr);
  return { code, report: JSON.parse(stdout) as InspectReport };
}

function failed({ checks }: InspectReport): string[] {
  return checks.filter(({ result }) => result === "failed").map(({ name }) => name);
}

function codesOf({ problems }: InspectReport): string[] {
  return problems.map(({ code }) => code);
}

describe("keyturn inspect of files", () => {
  it("shows a good bundle in parts, exits 0, and shows nothing of its key", async (t) => {
    const files = await writeBundleFiles(t, partsOf(bundle));

    const { code, stdout, stderr } = await runKeyturn(["inspect", ...Object.values(files)]);

    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, / {2}subject +CN=inference\.local\n/);
    assert.match(stdout, / {2}SHA-256 +([0-9A-F]{2}:){31}[0-9A-F]{2}\n/);
    assert.match(stdout, /CN=Test Root +root, trusted; .*ca\.crt, line 1\n {2}`- CN=Test Intermediate /);
    assert.match(stdout, /inspected: every check passes\n$/);
    for (const line of linesOfKey(bundle.key)) assert.ok(!stdout.includes(line));
  });

  it("gives the same as data", async (t) => {
    const files = await writeBundleFiles(t, { ...partsOf(bundle), "meta.json": '{"labels":{"model":"a"}}' });

    const { code, report } = await inspectJson(...Object.values(files));

    const { leaf, chain, anchors, checks, problems } = report;
    assert.deepEqual([code, report.ok, problems], [0, true, []]);
    assert.equal(leaf?.fingerprint256, bundle.leaf.fingerprint256);
    assert.deepEqual([leaf?.dnsNames, leaf?.ipAddresses], [["inference.local"], ["10.0.0.7"]]);
    assert.deepEqual(
      chain.map(({ role, sent, trusted }) => [role, sent, trusted]),
      [
        ["leaf", true, false],
        ["intermediate", true, false],
        ["root", false, true],
      ],
    );
    assert.deepEqual(
      anchors.map(({ inChain }) => inChain),
      [true],
    );
    assert.equal(checks.find(({ name }) => name === "labels")?.result, "ok");
    assert.match(report.digest ?? "", /^sha256:[0-9a-f]{64}$/);
  });

  it("names three faults at once, each under its check and with its file and line, and exits 1", async (t) => {
    const [root, other] = [mintAuthority("Root"), mintAuthority("Other")];
    const leaf = mint({ issuer: root, from: -40, until: -2 });
    const files = await writeBundleFiles(t, {
      "tls.crt": leaf.pem,
      "tls.key": mint().keyPem,
      "ca.crt": root.pem + other.pem,
      "ca.crl": mintCrl({ issuer: root, revoked: [leaf, other] }),
    });

    const { code, report } = await inspectJson(...Object.values(files));

    assert.deepEqual(codesOf(report), ["CERTIFICATE_EXPIRED", "CERTIFICATE_REVOKED", "KEY_MISMATCH"]);
    assert.deepEqual([code, failed(report)], [1, ["key", "validity", "revocation"]]);
    assert.ok(report.problems[0]?.message.includes(`${files["tls.crt"]}, line 1`));
    assert.equal(report.checks.find(({ name }) => name === "handshake")?.note, "not reached");
    assert.deepEqual(
      report.anchors.map(({ subject, inChain }) => [subject, inChain]),
      [
        ["CN=Root", true],
        ["CN=Other", false],
      ],
    );
    assert.deepEqual(
      report.crls.map(({ issuer, entries }) => [issuer, entries]),
      [["CN=Root", 2]],
    );
  });

  it("takes leaf and key out of one file, in any order, with what does not belong to them shown", async (t) => {
    const mixed = `Bag Attributes\r\n${bundle.key}${bundle.ca}${bundle.chain}`.replaceAll("\n", "\r\n");
    const files = await writeBundleFiles(t, {
      "all.txt": mixed,
      "more.pem": mint({ issuer: mintAuthority("Else") }).pem,
    });

    const alone = await inspectJson(files["all.txt"]);
    const both = await inspectJson(...Object.values(files));

    assert.deepEqual([alone.code, alone.report.anchors.length], [0, 1]);
    assert.deepEqual([both.code, both.report.unused.length], [0, 1]);
    assert.ok(both.report.unused[0]?.where.startsWith(files["more.pem"]));
  });

  it("trusts what is in a file with the name of trust anchors, a renewed intermediate too", async (t) => {
    const root = mintAuthority("Root");
    const intermediate = mintAuthority("Intermediate", { issuer: root });
    const files = await writeBundleFiles(t, {
      "ca.pem": intermediate.pem + root.pem,
      "other.pem": intermediate.pem,
    });

    const trusted = await inspectJson(files["ca.pem"]);
    const presented = await inspectJson(files["other.pem"]);

    assert.deepEqual([trusted.code, trusted.report.anchors.length, trusted.report.leaf], [0, 2, null]);
    assert.deepEqual([presented.report.anchors.length, codesOf(presented.report)], [0, ["KEY_MISSING"]]);
  });

  it("exits 1 where a file holds nothing that can be read, and says which", async (t) => {
    const files = await writeBundleFiles(t, { "empty.pem": "", "text.pem": "hello" });

    const { code, report } = await inspectJson(...Object.values(files));

    assert.deepEqual(
      [code, failed(report), codesOf(report)],
      [1, ["content"], ["VALUE_EMPTY", "PEM_MISSING"]],
    );
    assert.ok(report.problems[0]?.message.startsWith(files["empty.pem"]));
    assert.equal(report.digest, null);
  });

  for (const args of [
    [],
    ["/no/such/file"],
    ["a.pem", "--name", "inference"],
    ["/etc/hostname", "--as", "No Name"],
  ]) {
    it(`exits 2 on \`inspect ${args.join(" ")}\`, and says why`, async () => {
      const { code, stdout, stderr } = await runKeyturn(["inspect", ...args]);

      assert.deepEqual([code, stdout], [2, ""]);
      assert.match(stderr, /USAGE: /);
    });
  }
});

describe("keyturn inspect of a PKCS#12 file", () => {
  async function setUp(t: TestContext) {
    const wish = {
      keys: [createPrivateKey(bundle.key)],
      certificates: [...bundle.chain.split(/(?<=-----END CERTIFICATE-----\n)/), bundle.ca],
      passphrase: "open sesame",
    };
    return writeBundleFiles(t, {
      "bundle.bin": writePkcs12(wish),
      passphrase: "open sesame\n",
      wrong: "open barley\n",
    });
  }

  it("opens it by the passphrase in a file, and knows it by its bytes", async (t) => {
    const files = await setUp(t);

    const { code, report } = await inspectJson(files["bundle.bin"], "--passphrase-file", files.passphrase);

    assert.deepEqual([code, report.leaf?.subject, report.anchors.length], [0, "CN=inference.local", 1]);
  });

  it("says what is missing where there is no passphrase, and which option brings it", async (t) => {
    const files = await setUp(t);

    const { code, stdout } = await runKeyturn(["inspect", files["bundle.bin"]]);

    assert.equal(code, 1);
    assert.match(stdout, /KEY_ENCRYPTED: .*bundle\.bin: this PKCS#12 file is encrypted/);
    assert.match(stdout, /--passphrase-file FILE/);
    assert.doesNotMatch(stdout, /^ {2}ok /m);
  });

  it("says that the passphrase is wrong, and never what it is", async (t) => {
    const files = await setUp(t);

    const { code, stdout } = await runKeyturn([
      "inspect",
      files["bundle.bin"],
      "--passphrase-file",
      files.wrong,
    ]);

    assert.equal(code, 1);
    assert.match(stdout, /PASSPHRASE_WRONG/);
    assert.ok(!stdout.includes("barley"));
  });

  it("refuses one beside other files", async (t) => {
    const files = await setUp(t);

    const { code, stderr } = await runKeyturn(["inspect", files["bundle.bin"], files.passphrase]);

    assert.equal(code, 2);
    assert.match(stderr, /a PKCS#12 file is a whole bundle/);
  });
});

describe("keyturn inspect by a configuration", () => {
  it("checks by the rules for the name it is given", async (t) => {
    const config = join(await useFolder(t), "keyturn.yaml");
    await writeFile(config, "checks: { rules: [{ bundles: [mesh], requireNames: [mesh.local] }] }\n");
    const files = await writeBundleFiles(t, { "whole.pem": bundle.whole });

    const nameless = await inspectJson(files["whole.pem"], "--config", config);
    const mesh = await inspectJson(files["whole.pem"], "--config", config, "--as", "mesh");

    assert.deepEqual([nameless.code, mesh.code, codesOf(mesh.report)], [0, 1, ["NAME_NOT_COVERED"]]);
    assert.equal(mesh.report.name, "mesh");
  });

  it("takes settings from the command line", async (t) => {
    const files = await writeBundleFiles(t, { "whole.pem": bundle.whole });

    const { report } = await inspectJson(files["whole.pem"], "--checks-max-validity", "7d");

    assert.deepEqual(codesOf(report), ["VALIDITY_TOO_LONG"]);
  });
});

describe("keyturn inspect --name", () => {
  it("shows a bundle as etcd holds it: its keys, its revision, and what is wrong with it", async (t) => {
    const etcd = await useEtcd(t);
    const access = ["--etcd-endpoints", etcd.endpoint];
    await etcd.put("/certs/inference.pem", bundle.whole);

    const good = await inspectJson("--name", "inference", ...access);
    await etcd.put("/certs/inference/meta.json", '{"labels":{"Model Version":"a"}}');
    await etcd.put("/certs/broken/tls.crt", bundle.chain);
    const labels = await inspectJson("--name", "inference", ...access);
    const broken = await inspectJson("--name", "broken", ...access);
    const none = await runKeyturn(["inspect", "--name", "none", ...access]);

    assert.deepEqual([good.code, good.report.from], [0, ["/certs/inference.pem"]]);
    assert.equal(good.report.revision, (await etcd.revision()) - 2);
    assert.deepEqual([labels.code, failed(labels.report)], [1, ["labels"]]);
    assert.deepEqual([broken.code, codesOf(broken.report)], [1, ["KEY_MISSING"]]);
    assert.equal(none.code, 1);
    assert.match(none.stderr, /BUNDLE_UNKNOWN: etcd holds no bundle none under \/certs\//);
  });
});
