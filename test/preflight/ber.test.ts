import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  childrenOf,
  identifierOf,
  integerOf,
  octetsOf,
  onlyChildOf,
  readElement,
} from "../../src/preflight/locked/ber.ts";
import { integer, octets, oid, openEnded, piecesOf, sequence, tlv } from "../support/asn1.ts";

describe("an element", () => {
  it("is read with what is in it, and without what is after it", () => {
    const { tag, content, whole } = readElement(Buffer.concat([integer(5), octets(Buffer.from("after"))]));
    assert.deepEqual([tag, [...content], [...whole]], [0x02, [5], [2, 1, 5]]);
  });

  for (const bytes of [0, 127, 128, 255, 256, 65_536]) {
    it(`of ${bytes} bytes is read`, () => {
      assert.equal(octetsOf(readElement(octets(Buffer.alloc(bytes, 7)))).length, bytes);
    });
  }

  it("of indefinite length ends at its mark, also around another", () => {
    const element = readElement(openEnded(0x30, openEnded(0x30, integer(1)), integer(2)));
    const [inner, last] = childrenOf(element);
    assert.deepEqual([integerOf(onlyChildOf(inner)), integerOf(last)], [1, 2]);
  });

  for (const [what, hex] of [
    ["nothing", ""],
    ["a tag alone", "30"],
    ["less than it says", "040301"],
    ["less than its length is long", "0482"],
    ["a length of five bytes", "04850000000001aa"],
    ["an open end that never comes", "3080020101"],
    ["an open end for a value", "0480aa0000"],
    ["a tag of many bytes", "1f8101010"],
  ] as const) {
    it(`is none where there is ${what}`, () => {
      assert.throws(() => readElement(Buffer.from(hex, "hex")), Error);
    });
  }

  it("within very many others is refused, and does not exhaust the stack", () => {
    const open = Buffer.concat(Array.from({ length: 100_000 }, () => Buffer.from([0x30, 0x80])));
    assert.throws(() => readElement(open), /too deep/);
    let pieces = octets(Buffer.from("x"));
    for (let depth = 0; depth < 50; depth++) pieces = tlv(0x24, pieces);
    assert.throws(() => octetsOf(readElement(pieces)), /too deep/);
  });

  it("is read or refused, whatever the bytes, with words of our own", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          for (const child of childrenOf(readElement(bytes))) octetsOf(child);
        } catch (thrown) {
          assert.equal((thrown as Error).constructor, Error);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("a value", () => {
  it("in pieces is put together", () => {
    const bytes = Buffer.from("several pieces, and the last in pieces too");
    for (const pieces of [tlv(0x24, ...piecesOf(bytes)), openEnded(0xa0, ...piecesOf(bytes))]) {
      assert.equal(Buffer.from(octetsOf(readElement(pieces))).toString(), bytes.toString());
    }
  });

  for (const number of [0, 1, 127, 128, 2_048, 1_000_000, 2 ** 40]) {
    it(`that is the number ${number} is read`, () => {
      assert.equal(integerOf(readElement(integer(number))), number);
    });
  }

  for (const [what, hex] of [
    ["negative", "0201ff"],
    ["larger than any that makes sense", "020801000000000000 00"],
    ["of no byte", "0200"],
    ["no number", "040101"],
  ] as const) {
    it(`that is ${what} is no number here`, () => {
      assert.throws(() => integerOf(readElement(Buffer.from(hex.replace(" ", ""), "hex"))), /number/);
    });
  }

  for (const id of ["1.2.840.113549.1.12.10.1.2", "2.16.840.1.101.3.4.1.42", "0.9.2342", "2.999.1"]) {
    it(`that is the object identifier ${id} is read`, () => {
      assert.equal(identifierOf(readElement(oid(id))), id);
    });
  }

  it("that is missing is missed", () => {
    assert.throws(() => octetsOf(childrenOf(readElement(sequence()))[0]), /missing/);
  });
});
