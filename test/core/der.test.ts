import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { dottedText, isSelfIssued, splitCertificate } from "../../src/core/der.ts";
import { createBundleMaker } from "../support/pki.ts";

describe("isSelfIssued", async () => {
  const { root, intermediate } = await createBundleMaker();
  const rootDer = new Uint8Array(root.certificate.rawData);

  it("is true for a root", () => {
    assert.equal(isSelfIssued(rootDer), true);
  });

  it("is false for an intermediate", () => {
    assert.equal(isSelfIssued(new Uint8Array(intermediate.certificate.rawData)), false);
  });

  it("is true for a certificate of version 1, which has no version field", () => {
    const [serial, algorithm, validity, key] = [integer(1), sequence(2), sequence(3), sequence(4)];
    const name = sequence(5);
    assert.equal(isSelfIssued(certificateOf([serial, algorithm, name, validity, name, key])), true);
  });

  it("is false where the names have no definite length, which DER does not allow", () => {
    const name = [0x30, 0x80];
    assert.equal(
      isSelfIssued(certificateOf([integer(1), sequence(2), name, sequence(3), name, sequence(4)])),
      false,
    );
  });

  it("is false where issuer and subject are no names", () => {
    assert.equal(isSelfIssued(certificateOf(Array(6).fill(integer(1)))), false);
  });

  it("never throws on anything", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void isSelfIssued(bytes)));
  });

  it("never throws on a certificate that was damaged or cut off", () => {
    const damage = fc.tuple(fc.nat({ max: 120 }), fc.uint8Array({ minLength: 1, maxLength: 8 }), fc.nat());
    fc.assert(
      fc.property(damage, ([at, bytes, length]) => {
        const damaged = Uint8Array.from(rootDer);
        damaged.set(bytes, at);
        isSelfIssued(damaged.subarray(0, length % damaged.length));
      }),
      { numRuns: 1_000 },
    );
  });

  it("is false for a root whose last byte is missing", () => {
    assert.equal(isSelfIssued(rootDer.subarray(0, -1)), false);
  });

  it("is false for a certificate that is cut off within its names", () => {
    assert.equal(isSelfIssued(rootDer.subarray(0, 80)), false);
  });
});

describe("the extensions of a certificate", async () => {
  const { root } = await createBundleMaker();
  const der = new Uint8Array(root.certificate.rawData);
  const extensions = splitCertificate(der)?.extensions() ?? [];

  it("are all there, in order, with what is critical", () => {
    assert.deepEqual(
      extensions.map(({ id, isCritical }) => [dottedText(Buffer.from(id, "hex")), isCritical]),
      [...root.certificate.extensions].map(({ type, critical }) => [type, critical]),
    );
  });

  it("have their bytes as they stand in the certificate", () => {
    assert.deepEqual(
      extensions.map((extension) => [Buffer.from(extension.der), Buffer.from(extension.value)]),
      [...root.certificate.extensions].map(({ rawData, value }) => [
        Buffer.from(rawData),
        Buffer.from(value),
      ]),
    );
  });

  it("are told apart, or not at all, in whatever is damaged", () => {
    const place = fc.nat({ max: der.length - 1 });
    fc.assert(
      fc.property(place, fc.nat({ max: 255 }), (at, byte) => {
        const damaged = Uint8Array.from(der);
        damaged[at] = byte;
        for (const { id, value } of splitCertificate(damaged)?.extensions() ?? [])
          assert.ok(id.length >= 0 && value.length <= der.length);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("the text of an object identifier", () => {
  for (const [hex, text] of [
    ["551d11", "2.5.29.17"],
    ["2a864886f70d01010b", "1.2.840.113549.1.1.11"],
    ["2b0601050507030a", "1.3.6.1.5.5.7.3.10"],
    ["883703", "2.999.3"],
    ["69a2d4f5e5cc8fd9d0f1e2d3a4b5c6d70f", "2.25.1406116158749754551900672942517135"],
    ["00", "0.0"],
    ["7f", "2.47"],
    ["", "0.0"],
  ] as const) {
    it(`is ${text}`, () => assert.equal(dottedText(Buffer.from(hex, "hex")), text));
  }

  it("is not written down where it is too long: a value of etcd can hold one that would take a minute", () => {
    for (const bytes of [129, 64_000, 1 << 20]) {
      assert.equal(dottedText(Buffer.alloc(bytes, 0xff)), `an identifier of ${bytes} bytes`);
    }
  });
});

function integer(value: number): number[] {
  return [0x02, 0x01, value];
}

function sequence(content: number): number[] {
  return [0x30, 0x03, ...integer(content)];
}

/** SEQUENCE { SEQUENCE { fields } }. */
function certificateOf(fields: readonly (readonly number[])[]): Uint8Array {
  const inner = fields.flat();
  return Uint8Array.from([0x30, inner.length + 2, 0x30, inner.length, ...inner]);
}
