import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { before, describe, it } from "node:test";
import fc from "fast-check";
import { writePem } from "../../src/core/pem.ts";
import { writeCertificate } from "../support/der.ts";
import { codesOf } from "../support/material.ts";
import { mintAuthority, mintCrl } from "../support/mint.ts";
import { type BundleMaker, type BundlePems, createAuthority, createBundleMaker } from "../support/pki.ts";
import { bundleOf, identityOf, pemOf, readBundleOf } from "../support/read-bundle.ts";

let pki: BundleMaker;
let pems: BundlePems;
before(async () => {
  pki = await createBundleMaker();
  pems = await pki.make("inference.local", "127.0.0.1", "fd00::1");
});

describe("the chain that is served", () => {
  it("is the leaf and then its intermediates, whatever the order they came in", async () => {
    const deeper = await pki.intermediate.issueAuthority("Deeper");
    const leaf = await deeper.issue(["a"]);
    const chain = [leaf, deeper, pki.intermediate].map(({ certificatePem }) => certificatePem);
    const blocks = [...chain, pki.root.certificatePem, leaf.privateKeyPem];
    const order = fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 });
    fc.assert(
      fc.property(order, (indexes) => {
        const identity = identityOf({ "": indexes.map((index) => blocks[index]).join("") });
        assert.equal(pemOf(identity.chain), chain.join(""));
      }),
    );
  });

  it("never has the root", () => {
    const { chain } = identityOf({ "/tls.crt": pems.chain + pems.ca, "/tls.key": pems.key });
    assert.equal(pemOf(chain), pems.chain);
  });

  it("has no certificates that do not belong to it", async () => {
    const other = await (await createAuthority("Other Root")).issueAuthority("Other Intermediate");
    const { chain } = identityOf({ "": other.certificatePem + pems.whole });
    assert.equal(pemOf(chain), pems.chain);
  });

  it("takes the intermediate with the right key where two have one name", async () => {
    const namesake = await (await createAuthority("Other Root")).issueAuthority("Test Intermediate");
    const { chain } = identityOf({ "": namesake.certificatePem + pems.whole });
    assert.equal(pemOf(chain), pems.chain);
  });

  it("ends where two authorities issued each other", () => {
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const authority = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const signed = (name: string, issuer: string, key = authority.publicKey) =>
      writeCertificate({
        subject: [["CN", name]],
        issuer: [["CN", issuer]],
        publicKey: key,
        signingKey: authority.privateKey,
      });
    const chain = signed("leaf", "one", publicKey) + signed("one", "other") + signed("other", "one");
    const key = privateKey.export({ type: "pkcs8", format: "pem" });
    assert.equal(pemOf(identityOf({ "": chain + key }).chain), chain);
  });

  it("is the leaf alone where no intermediate came", () => {
    const { chain } = identityOf({ "/tls.crt": pems.leaf.certificatePem, "/tls.key": pems.key });
    assert.equal(pemOf(chain), pems.leaf.certificatePem);
  });

  it("has each certificate once, however often it came", () => {
    const { chain } = identityOf({ "": pems.whole + pems.chain });
    assert.equal(pemOf(chain), pems.chain);
  });
});

describe("a leaf that signed itself", () => {
  it("is the leaf of a whole bundle", () => {
    const { root } = pki;
    const { chain } = identityOf({ "": root.certificatePem + root.privateKeyPem });
    assert.equal(pemOf(chain), root.certificatePem);
  });

  it("is the leaf of a bundle in parts", () => {
    const { root } = pki;
    const { chain } = identityOf({ "/tls.crt": root.certificatePem, "/tls.key": root.privateKeyPem });
    assert.equal(pemOf(chain), root.certificatePem);
  });

  it("may be its own ca.crt, as cert-manager writes it", () => {
    const { root } = pki;
    const { identity, anchors } = bundleOf({
      "/tls.crt": root.certificatePem,
      "/tls.key": root.privateKeyPem,
      "/ca.crt": root.certificatePem,
    });
    assert.deepEqual(
      [pemOf(identity?.chain ?? []), pemOf(anchors)],
      [root.certificatePem, root.certificatePem],
    );
  });
});

describe("the summary of a leaf", () => {
  it("says its names", () => {
    const { dnsNames, ipAddresses, uris } = identityOf({ "": pems.whole }).leaf;
    assert.deepEqual([dnsNames, ipAddresses, uris], [["inference.local"], ["127.0.0.1", "fd00::1"], []]);
  });

  it("says who issued it, its key and its fingerprint as OpenSSL prints them", () => {
    const { subject, issuer, keyType, fingerprint256 } = identityOf({ "": pems.whole }).leaf;
    assert.deepEqual([subject, issuer, keyType], ["CN=inference.local", "CN=Test Intermediate", "EC P-256"]);
    assert.match(fingerprint256, /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  });

  it("says from when and until when it is valid, in UTC", () => {
    const { notBefore, notAfter } = identityOf({ "": pems.whole }).leaf;
    const { certificate } = pems.leaf;
    assert.deepEqual(
      [notBefore, notAfter],
      [certificate.notBefore.toISOString(), certificate.notAfter.toISOString()],
    );
  });
});

describe("a trust bundle", () => {
  it("has anchors in the order they were given, and no identity", async () => {
    const second = await createAuthority("Second Root");
    const { identity, anchors } = bundleOf({ "/ca.crt": second.certificatePem + pems.ca });
    assert.deepEqual([identity, pemOf(anchors)], [null, second.certificatePem + pems.ca]);
  });

  it("may come in one value", () => {
    assert.equal(bundleOf({ "": pems.ca }).identity, null);
  });

  it("may have revocation lists", () => {
    const list = mintCrl({ issuer: mintAuthority("Root") });
    const { crls } = bundleOf({ "/ca.crt": pems.ca, "/ca.crl": list });
    assert.deepEqual(
      crls.map((der) => writePem("X509 CRL", der)),
      [list],
    );
  });
});

describe("a bundle is refused", () => {
  it("where its key belongs to another certificate", async () => {
    const other = await pki.make();
    assert.deepEqual(codesOf(readBundleOf({ "": pems.chain + other.key })), ["KEY_MISMATCH"]);
  });

  it("where its key is missing", () => {
    assert.deepEqual(codesOf(readBundleOf({ "/tls.crt": pems.chain, "/ca.crt": pems.ca })), ["KEY_MISSING"]);
  });

  for (const [beside, values] of [
    ["nothing", () => ({ "/tls.key": pems.key })],
    ["trust anchors", () => ({ "/tls.key": pems.key, "/ca.crt": pems.ca })],
    ["a revocation list", () => ({ "/ca.crl": mintCrl({ issuer: mintAuthority("Root") }) })],
  ] as const) {
    it(`where its leaf is missing beside ${beside}`, () => {
      assert.deepEqual(codesOf(readBundleOf(values())), ["LEAF_MISSING"]);
    });
  }

  it("not where it has one key twice", () => {
    assert.equal(readBundleOf({ "": pems.whole + pems.key }).ok, true);
  });

  it("where two certificates fit its key", () => {
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const renewed = ["old", "new"].map((name) =>
      writeCertificate({ subject: [["CN", name]], publicKey, signingKey: privateKey }),
    );
    const key = privateKey.export({ type: "pkcs8", format: "pem" });
    assert.deepEqual(codesOf(readBundleOf({ "": renewed.join("") + key })), ["LEAF_AMBIGUOUS"]);
  });

  it("with everything that cannot be read at once", () => {
    const garbage = Uint8Array.from([0x30, 0x03, 0x02, 0x01, 0x00]);
    const values = {
      "/tls.crt": writePem("CERTIFICATE", garbage),
      "/tls.key": writePem("PRIVATE KEY", garbage),
      "/ca.crt": writePem("CERTIFICATE", garbage),
    };
    assert.deepEqual(codesOf(readBundleOf(values)), [
      "CERTIFICATE_UNREADABLE",
      "CERTIFICATE_UNREADABLE",
      "KEY_UNREADABLE",
    ]);
  });
});
