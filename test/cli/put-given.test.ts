import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { readPutFiles } from "../../src/cli/put-given.ts";
import { partsOf, writeBundleFiles } from "../support/bundle-files.ts";
import { nameOf } from "../support/material.ts";
import { type BundlePems, createBundleMaker } from "../support/pki.ts";

const NAME = nameOf("demo");
let bundle: BundlePems;
before(async () => {
  bundle = await (await createBundleMaker()).make();
});

describe("files to be put", () => {
  it("in parts become the keys of a Kubernetes TLS secret, byte for byte", async (t) => {
    const files = await writeBundleFiles(t, { a: bundle.chain, b: bundle.key, c: bundle.ca, d: "{}" });

    const given = await readPutFiles("/certs/", NAME, {
      cert: files.a,
      key: files.b,
      ca: files.c,
      meta: files.d,
    });

    const values = [...given.values].map(([key, value]) => [key, Buffer.from(value).toString()]);
    assert.deepEqual(values, [
      ["/certs/demo/tls.crt", bundle.chain],
      ["/certs/demo/tls.key", bundle.key],
      ["/certs/demo/ca.crt", bundle.ca],
      ["/certs/demo/meta.json", "{}"],
    ]);
    assert.deepEqual(
      given.material.parts.map(({ part, entry }) => [part, entry.key]),
      [
        ["tls.crt", files.a],
        ["tls.key", files.b],
        ["ca.crt", files.c],
      ],
    );
  });

  it("in one become NAME.pem or NAME.p12, whatever the file is called", async (t) => {
    const pkcs12 = Buffer.from("308204d9020103", "hex");
    const files = await writeBundleFiles(t, { "ca.crt": bundle.whole, "tls.key": pkcs12 });

    const pem = await readPutFiles("/certs/", NAME, { file: files["ca.crt"] });
    const p12 = await readPutFiles("/certs/", NAME, { file: files["tls.key"] });

    assert.deepEqual([...pem.values.keys()], ["/certs/demo.pem"]);
    assert.deepEqual([...p12.values.keys()], ["/certs/demo.p12"]);
  });

  it("are warned of where everybody may read a private key, and only then", async (t) => {
    const files = await writeBundleFiles(t, { ...partsOf(bundle), whole: bundle.whole }, [
      "tls.crt",
      "tls.key",
      "ca.crt",
      "whole",
    ]);

    const parts = await readPutFiles("/certs/", NAME, { cert: files["tls.crt"], key: files["tls.key"] });
    const whole = await readPutFiles("/certs/", NAME, { file: files.whole });
    const trust = await readPutFiles("/certs/", NAME, { file: files["ca.crt"] });

    const warning = (path: string) =>
      `${path} holds a private key, and everybody on this machine may read it: chmod 600 ${path}`;
    assert.deepEqual(parts.warnings, [warning(files["tls.key"])]);
    assert.deepEqual(whole.warnings, [warning(files.whole)]);
    assert.deepEqual(trust.warnings, []);
  });

  it("are refused where a private key would go where none belongs", async (t) => {
    const { both, key } = await writeBundleFiles(t, { both: bundle.whole, key: bundle.key });

    for (const files of [{ cert: both, key }, { ca: both }, { cert: both, key: both }]) {
      await assert.rejects(readPutFiles("/certs/", NAME, files), {
        code: "USAGE",
        message: /both holds a private key, which does not belong into (tls|ca)\.crt/,
      });
    }
  });

  for (const [what, files] of [
    ["nothing", {}],
    ["labels alone", { meta: "a" }],
    ["a file and parts", { file: "a", ca: "b" }],
    ["a leaf without its key", { cert: "a", ca: "b" }],
    ["a key without its leaf", { key: "a" }],
    ["revocation lists alone", { crl: "a" }],
  ] as const) {
    it(`are refused where they are ${what}`, async () => {
      await assert.rejects(readPutFiles("/certs/", NAME, files), { code: "USAGE", message: /give / });
    });
  }
});
