import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { isSelfIssued } from "../../src/core/der.ts";
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
