import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { before, describe, it } from "node:test";
import { type ContentsResult, gatherMaterial, isAbsent, MAX_CERTIFICATES } from "../../src/core/material.ts";
import { writePem } from "../../src/core/pem.ts";
import { MAX_VALUE_BYTES } from "../../src/core/snapshot.ts";
import { codesOf, contentsOf, entryOf, materialOf, nameOf, readValues } from "../support/material.ts";
import { type BundlePems, createBundleMaker } from "../support/pki.ts";

/** What a PKCS#12 file begins with, and no more: nothing here looks further. */
const PKCS12 = Buffer.from("308204d9020103", "hex");

let pems: BundlePems;
before(async () => {
  pems = await (await createBundleMaker()).make();
});

describe("a value", () => {
  it("that is empty is rejected", () => {
    assert.deepEqual(codesOf(readValues({ "": "" })), ["VALUE_EMPTY"]);
  });

  it("of 1 MiB is read", () => {
    const text = pems.whole.padStart(MAX_VALUE_BYTES, "\n");
    assert.equal(readValues({ "": text }).ok, true);
  });

  it("over 1 MiB is rejected, and says how long it is", () => {
    const read = readValues({ "": pems.whole.padStart(MAX_VALUE_BYTES + 1, "\n") });
    assert.deepEqual(read, {
      ok: false,
      problems: [
        { code: "VALUE_TOO_LARGE", message: "/certs/demo holds 1048577 bytes; the most is 1048576" },
      ],
    });
  });

  it("without a PEM block is rejected", () => {
    assert.deepEqual(codesOf(readValues({ "": "hello" })), ["PEM_MISSING"]);
  });

  it("with blocks of other kinds only is rejected, and says which they are", () => {
    const request = writePem("CERTIFICATE REQUEST", randomBytes(40));
    const read = readValues({ "": request });
    assert.deepEqual(read, {
      ok: false,
      problems: [
        {
          code: "PEM_MISSING",
          message: "/certs/demo has no certificate, private key or CRL; it has CERTIFICATE REQUEST",
        },
      ],
    });
  });

  it("with a damaged block is rejected, and says where", () => {
    const read = readValues({ "/tls.crt": pems.chain.replace("\nM", "\n*"), "/tls.key": pems.key });
    assert.deepEqual(read, {
      ok: false,
      problems: [
        {
          code: "PEM_MALFORMED",
          message: "/certs/demo/tls.crt: the CERTIFICATE block at line 1 is not base64",
        },
      ],
    });
  });

  it("of arbitrary bytes is rejected", () => {
    assert.deepEqual(codesOf(readValues({ "": Buffer.alloc(4096) })), ["PEM_MISSING"]);
  });

  it("that is a PKCS#12 file at a key for PEM is rejected, and says where it belongs", () => {
    const read = readValues({ ".pem": PKCS12 });
    assert.deepEqual(codesOf(read), ["PEM_MISSING"]);
    assert.match(messageOf(read), /a PKCS#12 file at a key that ends in \.p12/);
  });
});

describe("a value at a key that ends in .p12", () => {
  it("is one block, whatever is in it", () => {
    const { blocks, inParts } = contentsOf({ ".p12": PKCS12 });
    assert.deepEqual(blocks, [
      { role: "pkcs12", der: PKCS12, label: "PKCS12", headers: [], where: "/certs/demo.p12" },
    ]);
    assert.equal(inParts, false);
  });

  it("may have an indefinite length, as browsers write it", () => {
    assert.equal(readValues({ ".p12": Buffer.from([0x30, 0x80, 0x02, 0x01, 0x03]) }).ok, true);
  });

  for (const [what, value, advice] of [
    ["PEM", () => pems.whole, /holds PEM; put it at \/certs\/demo\.pem/],
    ["PEM with text before it", () => `Bag Attributes\n${pems.whole}`, /holds PEM; /],
    ["base64", () => `${PKCS12.toString("base64")}\n`, /holds base64; put the binary \(base64 -d /],
    ["text", () => "0123", /does not begin like a PKCS#12 file; put one in binary/],
    ["one byte", () => "0", /does not begin like a PKCS#12 file/],
  ] as const) {
    it(`that is ${what} is rejected, and what to do is said`, () => {
      const read = readValues({ ".p12": value() });
      assert.deepEqual(codesOf(read), ["PKCS12_UNREADABLE"]);
      assert.match(messageOf(read), advice);
    });
  }

  it("that is empty or too long is rejected like any other", () => {
    assert.deepEqual(codesOf(readValues({ ".p12": "" })), ["VALUE_EMPTY"]);
    const long = Buffer.concat([PKCS12, Buffer.alloc(MAX_VALUE_BYTES)]);
    assert.deepEqual(codesOf(readValues({ ".p12": long })), ["VALUE_TOO_LARGE"]);
  });
});

describe("a bundle", () => {
  it("with 64 certificates is read", () => {
    assert.equal(readValues({ "/ca.crt": certificates(MAX_CERTIFICATES) }).ok, true);
  });

  it("with 65 certificates is rejected, also where they are in two parts", () => {
    const values = { "/tls.crt": certificates(1), "/ca.crt": certificates(MAX_CERTIFICATES) };
    assert.deepEqual(codesOf(readValues(values)), ["TOO_MANY_CERTIFICATES"]);
  });

  for (const [shapes, values] of [
    ["with and without .pem", ["", ".pem"]],
    ["whole and in parts", ["", "/tls.crt"]],
    ["with .pem and in parts", [".pem", "/ca.crt"]],
    ["with .pem and as PKCS#12", [".pem", ".p12"]],
    ["as PKCS#12 and in parts", [".p12", "/ca.crt"]],
  ] as const) {
    it(`that is given twice, ${shapes}, is a conflict`, () => {
      const valueAt = (suffix: string) => (suffix === ".p12" ? PKCS12 : pems.whole);
      const both = Object.fromEntries(values.map((suffix) => [suffix, valueAt(suffix)]));
      assert.deepEqual(codesOf(readValues(both)), ["SHAPE_CONFLICT"]);
    });
  }

  it("that is whole may have a meta.json beside it", () => {
    assert.equal(readValues({ "": pems.whole, "/meta.json": "{}" }).ok, true);
    assert.equal(readValues({ ".p12": PKCS12, "/meta.json": "{}" }).ok, true);
  });

  it("reports everything that is wrong at once", () => {
    const values = { "": "", "/tls.crt": "hello", "/tls.key": "-----BEGIN PRIVATE KEY-----" };
    assert.deepEqual(codesOf(readValues(values)).sort(), [
      "PEM_MALFORMED",
      "PEM_MISSING",
      "SHAPE_CONFLICT",
      "VALUE_EMPTY",
    ]);
  });

  it("has the newest revision of its keys", () => {
    const entries = [entryOf("/certs/demo/tls.crt", "", 7), entryOf("/certs/demo/tls.key", "", 5)];
    const byKey = new Map(entries.map((entry) => [entry.key, entry]));
    assert.equal(gatherMaterial("/certs/", nameOf("demo"), byKey).revision, 7);
  });

  it("knows whether it came in parts", () => {
    const inParts = (values: Record<string, string>) => contentsOf(values).inParts;
    assert.deepEqual([inParts({ "": pems.whole }), inParts({ "/ca.crt": pems.ca })], [false, true]);
  });

  it("of which only meta.json is there is absent", () => {
    assert.equal(isAbsent(materialOf({ "/meta.json": "{}" })), true);
  });

  it("of which any other part is there is not absent", () => {
    assert.equal(isAbsent(materialOf({ "/meta.json": "{}", "/ca.crl": "" })), false);
  });
});

describe("the role of a certificate", () => {
  const rolesOf = (values: Record<string, string>) => contentsOf(values).blocks.map(({ role }) => role);

  it("in a whole bundle is trust anchor where it names itself as its issuer", () => {
    assert.deepEqual(rolesOf({ "": pems.whole }), [
      "certificate",
      "certificate",
      "private-key",
      "trust-anchor",
    ]);
  });

  it("in tls.crt is never trust anchor: a root that came along must not start to admit clients", () => {
    assert.deepEqual(rolesOf({ "/tls.crt": pems.ca }), ["certificate"]);
  });

  it("in ca.crt is always trust anchor", () => {
    assert.deepEqual(rolesOf({ "/ca.crt": pems.chain }), ["trust-anchor", "trust-anchor"]);
  });

  for (const label of ["X509 CERTIFICATE", "X.509 CERTIFICATE"]) {
    it(`does not depend on the older label ${label}`, () => {
      const relabelled = pems.whole.replaceAll(/(BEGIN|END) CERTIFICATE/g, `$1 ${label}`);
      assert.equal(contentsOf({ "": relabelled }).digest, contentsOf({ "": pems.whole }).digest);
    });
  }

  it("is not given to parameters that tools leave beside a key", () => {
    const parameters = writePem("EC PARAMETERS", randomBytes(10));
    assert.deepEqual(rolesOf({ "/tls.key": parameters + pems.key }), ["private-key"]);
  });
});

function messageOf(read: ContentsResult): string {
  return read.ok ? "" : read.problems.map(({ message }) => message).join("; ");
}

function certificates(count: number): string {
  return Array.from({ length: count }, () => writePem("CERTIFICATE", randomBytes(40))).join("");
}
