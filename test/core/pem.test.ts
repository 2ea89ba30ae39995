import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type PemBlock, readPem, writePem } from "../../src/core/pem.ts";
import { costOf } from "../support/cost.ts";
import { tries } from "../support/fuzz.ts";
import { blow, strike, writeAs, writing } from "../support/mutations.ts";

const DER = Uint8Array.from(randomBytes(120));
const PEM = writePem("CERTIFICATE", DER);

describe("readPem", () => {
  it("gives back what writePem wrote", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (der) => {
        assert.deepEqual(dersOf(writePem("PRIVATE KEY", der)), [der]);
      }),
    );
  });

  it("gives the same again for what is written of what it gave, whatever became of the text", () => {
    const blows = fc.array(blow, { maxLength: 3 });
    const pieces = fc.array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 300 }), writing));
    fc.assert(
      fc.property(pieces, blows, (written, all) => {
        const text = written.map(([der, how]) => writeAs({ label: "X509 CRL", der }, how)).join("");
        const read = readPem(all.reduce(strike, Buffer.from(text)));
        if (!read.ok) return;
        const again = read.blocks.map(({ label, der }) => writePem(label, der)).join("");
        assert.deepEqual(contentOf(again), read.blocks.map(withoutPlace));
      }),
      tries(300),
    );
  });

  it("says at which line each block begins", () => {
    const read = readPem(Buffer.from(`a comment\r\n${PEM}another\n${PEM}`));
    assert.ok(read.ok);
    assert.deepEqual(
      read.blocks.map(({ line }) => line),
      [2, 8],
    );
  });

  it("keeps the header lines that a traditional encrypted key needs", () => {
    const headers = ["Proc-Type: 4,ENCRYPTED", "DEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEFF"];
    const read = readPem(Buffer.from(PEM.replace("-----\n", `-----\n${headers.join("\n")}\n\n`)));
    assert.ok(read.ok);
    assert.deepEqual(read.blocks[0]?.headers, headers);
  });

  it("finds no block in text without any", () => {
    assert.deepEqual(readPem(Buffer.from("nothing to see here\n")), { ok: true, blocks: [] });
  });

  it("reads a block without a line break at its end", () => {
    assert.deepEqual(dersOf(PEM.trimEnd()), [DER]);
  });

  it("reads a block that is indented, as in YAML", () => {
    assert.deepEqual(dersOf(PEM.replace(/^/gm, "    ")), [DER]);
  });
});

describe("readPem on a damaged block", () => {
  it("never gives a shorter one, whichever character is changed into whichever", () => {
    const start = PEM.indexOf("\n") + 1;
    const place = fc.integer({ min: start, max: PEM.lastIndexOf("\n-----END") - 1 });
    const character = fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code));
    fc.assert(
      fc.property(place, character, (at, changed) => {
        const read = readPem(Buffer.from(PEM.slice(0, at) + changed + PEM.slice(at + 1)));
        if (read.ok)
          assert.deepEqual(
            read.blocks.map(({ der }) => der.length >= DER.length - 2),
            [true],
          );
      }),
      { numRuns: 2_000 },
    );
  });

  it("does not take a damaged line for a header line", () => {
    const damaged = PEM.replace(/\n(.{10})./, "\n$1:");
    assert.deepEqual(readPem(Buffer.from(damaged)), {
      ok: false,
      message: "the CERTIFICATE block at line 1 is not base64",
    });
  });

  it("does not take a damaged line for more of a header", () => {
    const damaged = PEM.replace(/\n(.{10})./, "\nX-Source: vault\n\n$1*");
    assert.equal(readPem(Buffer.from(damaged)).ok, false);
  });

  it("refuses one with a character too few", () => {
    assert.equal(readPem(Buffer.from(PEM.replace(/.\n-----END/, "\n-----END"))).ok, false);
  });

  it("refuses padding in the middle", () => {
    assert.equal(readPem(Buffer.from(PEM.replace(/\n(.{60})..../, "\n$1AA=="))).ok, false);
  });

  it("refuses a block with nothing in it", () => {
    assert.equal(readPem(Buffer.from("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n")).ok, false);
  });

  for (const [what, text] of [
    ["ends nowhere", PEM.replace(/-----END.*\n/, "")],
    ["ends as something else", PEM.replace("END CERTIFICATE", "END PRIVATE KEY")],
    ["runs into the next", `${PEM.trimEnd()}${PEM}`],
  ] as const) {
    it(`refuses one that ${what}`, () => {
      assert.deepEqual(readPem(Buffer.from(text)), {
        ok: false,
        message: "the CERTIFICATE block at line 1 has no -----END CERTIFICATE----- line",
      });
    });
  }

  it("refuses one whose first line was lost", () => {
    assert.deepEqual(readPem(Buffer.from(PEM + PEM.replace("-----BEGIN", "----BEGIN"))), {
      ok: false,
      message: "line 10 ends a CERTIFICATE block that was never begun",
    });
  });
});

describe("readPem on anything", () => {
  it("never throws", () => {
    const lines = fc.constantFrom(
      "-----BEGIN CERTIFICATE-----",
      "-----END CERTIFICATE-----",
      "-----BEGIN ",
      "-----",
      "A: b",
      " x",
      "",
      "QUJD",
      "\ufeff",
    );
    const text = fc.array(fc.oneof(lines, fc.string())).map((all) => Buffer.from(all.join("\n")));
    const bytes = fc.uint8Array({ maxLength: 500 });
    fc.assert(fc.property(fc.oneof(text, bytes), (any) => void readPem(any)));
  });

  const size = 1 << 20;
  const hostile: readonly (readonly [string, Buffer])[] = [
    ["unfinished begin lines", filled("-----BEGIN \n", size)],
    ["begin lines", filled("-----BEGIN CERTIFICATE-----\n", size)],
    ["dashes", filled("-", size)],
    ["binary zeros", Buffer.alloc(size)],
    ["random bytes", randomBytes(size)],
    ["line breaks", filled("\n", size)],
    ["spaces in a block", filled(" ", size)],
    ["header lines", filled("A: b\n", size)],
    ["base64 that ends badly", filled("A", size)],
  ];
  for (const [what, body] of hostile) {
    it(`needs time in proportion for 1 MiB of ${what}`, () => {
      const wrapped = (text: Buffer) =>
        Buffer.concat([Buffer.from("-----BEGIN CERTIFICATE-----\n"), text, Buffer.from("!\n")]);
      const cost = (text: Buffer) =>
        costOf(() => {
          readPem(text);
          readPem(wrapped(text));
        });
      const [small, large] = [cost(body.subarray(0, size / 64)), cost(body)];
      // In proportion is 64, quadratic 4096 of something that is no longer small.
      assert.ok(large < 1_000 * Math.max(small, 1), `${small} ms for a 64th, ${large} ms for the whole`);
    });
  }
});

function dersOf(text: string): Uint8Array[] {
  const read = readPem(Buffer.from(text));
  assert.ok(read.ok);
  return read.blocks.map(({ der }) => der);
}

function contentOf(text: string) {
  const read = readPem(Buffer.from(text));
  assert.ok(read.ok);
  return read.blocks.map(withoutPlace);
}

function withoutPlace({ label, der }: PemBlock) {
  return { label, der };
}

function filled(text: string, size: number): Buffer {
  return Buffer.alloc(size, text);
}
