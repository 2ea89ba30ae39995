import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { bundleName, keysOf, readKey } from "../../src/core/names.ts";
import { nameOf } from "../support/material.ts";

const ALPHABET = [..."abcxyz0189"];
const name = fc
  .tuple(
    fc.constantFrom(...ALPHABET),
    fc.string({ unit: fc.constantFrom(...ALPHABET, ".", "_", "-"), maxLength: 61 }),
    fc.constantFrom(...ALPHABET),
    fc.constantFrom("", ".pem", ".p12", ".p12.pem", ".pem.p12"),
  )
  .map(
    ([first, middle, last, suffix]) => (first + middle + last).slice(0, 55).replace(/[._-]+$/, "") + suffix,
  )
  .map(nameOf);

describe("keys of a bundle", () => {
  it("read back as that bundle and that part", () => {
    fc.assert(
      fc.property(name, fc.constantFrom("/certs/", "certs/", "/a/b/"), (bundle, prefix) => {
        for (const { key, part } of keysOf(prefix, bundle)) {
          assert.deepEqual(readKey(prefix, key), { kind: "part", name: bundle, part });
        }
      }),
    );
  });

  it("are all keys that read as that bundle", () => {
    const parts = ["/tls.crt", "/tls.key", "/ca.crt", "/ca.crl", "/meta.json"];
    const last = fc.constantFrom("", ".pem", ".p12", ...parts);
    fc.assert(
      fc.property(name, last, (bundle, suffix) => {
        const key = `/certs/${bundle}${suffix}`;
        const meaning = readKey("/certs/", key);
        assert.equal(meaning.kind, "part");
        const keys = keysOf("/certs/", meaning.name).map((found) => found.key);
        assert.ok(keys.includes(key), `${key} is missing among ${keys.join(" ")}`);
      }),
    );
  });

  it("are never shared by two bundles", () => {
    fc.assert(
      fc.property(name, name, (one, other) => {
        fc.pre(one !== other);
        const keys = new Set(keysOf("/certs/", one).map(({ key }) => key));
        assert.deepEqual(
          keysOf("/certs/", other).filter(({ key }) => keys.has(key)),
          [],
        );
      }),
    );
  });
});

describe("a key", () => {
  for (const [key, bundle, part] of [
    ["/certs/foo", "foo", "whole"],
    ["/certs/foo.pem", "foo", "whole"],
    ["/certs/foo.pem.pem", "foo.pem", "whole"],
    ["/certs/foo.pem/tls.crt", "foo.pem", "tls.crt"],
    ["/certs/foo/tls.key", "foo", "tls.key"],
    ["/certs/foo.p12", "foo", "pkcs12"],
    ["/certs/foo.p12.p12", "foo.p12", "pkcs12"],
    ["/certs/foo.pem.p12", "foo.pem", "pkcs12"],
    ["/certs/foo.p12.pem", "foo.p12", "whole"],
    ["/certs/foo.p12/tls.crt", "foo.p12", "tls.crt"],
    ["/certs/p12", "p12", "whole"],
    [`/certs/${"a".repeat(63)}.p12`, "a".repeat(63), "pkcs12"],
    ["/certs/foo/ca.crt", "foo", "ca.crt"],
    ["/certs/constructor", "constructor", "whole"],
    ["/certs/a", "a", "whole"],
    ["/certs/tls.crt", "tls.crt", "whole"],
    [`/certs/${"a".repeat(63)}`, "a".repeat(63), "whole"],
    [`/certs/${"a".repeat(63)}.pem`, "a".repeat(63), "whole"],
  ] as const) {
    it(`${shortened(key)} is ${part} of ${shortened(bundle)}`, () => {
      assert.deepEqual(readKey("/certs/", key), { kind: "part", name: bundle, part });
    });
  }

  for (const key of [
    "/certs/",
    "/certs/../../etc/x",
    "/certs/..",
    "/certs/.",
    "/certs/../tls.crt",
    "/certs/a/../tls.crt",
    "/certs//tls.crt",
    "/certs/a/",
    "/certs/a/b",
    "/certs/a/b/c",
    "/certs/a/tls.crt/",
    "/certs/A B",
    "/certs/A",
    "/certs/a\n",
    "/certs/a\u0000",
    "/certs/é",
    "/certs/.pem",
    "/certs/.p12",
    "/certs/A.p12",
    "/certs/a/tls.p12",
    "/certs/a/pkcs12",
    "/certs/-a",
    "/certs/a-",
    "/certs/.generations",
    "/certs/__proto__",
    "/certs/a/__proto__",
    "/certs/a/constructor",
    "/certs/a/whole",
    `/certs/${"a".repeat(64)}`,
    "/other/a",
    "",
  ]) {
    it(`${JSON.stringify(shortened(key))} is ignored, and why is said`, () => {
      const meaning = readKey("/certs/", key);
      assert.equal(meaning.kind === "ignored" && meaning.why.length > 0, true);
    });
  }

  it("never names a bundle that is not one, whatever its bytes", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (rest) => {
        const meaning = readKey("/certs/", `/certs/${rest}`);
        if (meaning.kind === "part") assert.equal(bundleName(meaning.name), meaning.name);
      }),
    );
  });
});

describe("a bundle name", () => {
  for (const text of ["", "__proto__", "a".repeat(64), "a/b", "..", "a\n"]) {
    it(`is not ${JSON.stringify(shortened(text))}`, () => assert.equal(bundleName(text), undefined));
  }

  for (const text of ["a", "constructor", "a..b", "a".repeat(63), "0.1_2-3"]) {
    it(`can be ${shortened(text)}`, () => assert.equal(bundleName(text), text));
  }
});

function shortened(text: string): string {
  return text.replace(/a{20,}/, (run) => `a{${run.length}}`);
}
