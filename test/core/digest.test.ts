import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import fc from "fast-check";
import { type PemBlock, readPem, writePem } from "../../src/core/pem.ts";
import { tries } from "../support/fuzz.ts";
import { digestOfValues } from "../support/material.ts";
import { type Damage, damage, damageDer, writeAs, writing } from "../support/mutations.ts";
import { type BundlePems, createBundleMaker } from "../support/pki.ts";

let pems: BundlePems;
let blocks: readonly PemBlock[];
before(async () => {
  pems = await (await createBundleMaker()).make();
  blocks = blocksOf(pems.whole);
});

describe("the digest of a bundle", () => {
  it("does not depend on the order of blocks", () => {
    const order = fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 });
    fc.assert(fc.property(order, (indexes) => sameDigest(indexes.map(textOf).join(""))));
  });

  it("does not depend on text between blocks", () => {
    const comment = fc.string({ unit: "grapheme" }).map((text) => `# ${text.replaceAll("-----", "")}\n`);
    fc.assert(
      fc.property(fc.array(comment, { minLength: 5, maxLength: 5 }), (comments) =>
        sameDigest(comments.map((text, index) => text + textOf(index)).join("")),
      ),
    );
  });

  for (const [name, ending] of [
    ["CRLF", "\r\n"],
    ["CR", "\r"],
  ] as const) {
    it(`does not depend on ${name} line endings`, () => {
      assert.equal(
        digestOfValues({ "": pems.whole.replaceAll("\n", ending) }),
        digestOfValues({ "": pems.whole }),
      );
    });
  }

  it("does not depend on how base64 is wrapped", () => {
    const rewrapped = fc.tuple(
      fc.integer({ min: 1, max: 200 }),
      fc.constantFrom("\n", " \n", "\n\n", "\n\t"),
    );
    fc.assert(
      fc.property(rewrapped, ([width, gap]) =>
        sameDigest(blocks.map((block) => writeWrapped(block, width, gap)).join("")),
      ),
    );
  });

  it("does not depend on header lines within a block", () => {
    const withHeaders = pems.whole.replace(
      /(-----BEGIN .*-----\n)/g,
      "$1X-Source: vault,\n by way of a file\n\n",
    );
    assert.equal(digestOfValues({ "": withHeaders }), digestOfValues({ "": pems.whole }));
  });

  it("does not depend on the attributes OpenSSL writes when it reads PKCS#12", () => {
    const attributes =
      "Bag Attributes\n    localKeyID: 01 00 \nsubject=/CN=x\nKey Attributes: <No Attributes>\n";
    sameDigest(pems.whole.replace(/(?=-----BEGIN )/g, attributes));
  });

  it("does not depend on a byte order mark", () => {
    sameDigest(`\ufeff${pems.whole}`);
  });

  it("does not depend on a block that is given twice", () => {
    fc.assert(fc.property(fc.nat({ max: 3 }), (index) => sameDigest(pems.whole + textOf(index))));
  });

  it("does not depend on any of these at once", () => {
    const order = fc.tuple(fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }), fc.array(fc.nat({ max: 3 })));
    const ways = fc.infiniteStream(writing);
    fc.assert(
      fc.property(order, ways, ([all, twice], how) => {
        const written = [...all, ...twice].flatMap((index) => {
          const block = blocks[index];
          return block === undefined ? [] : [writeAs(block, how.next().value)];
        });
        sameDigest(written.join(""));
      }),
      tries(100),
    );
  });

  it("does not depend on whether the value is at the name or at the name with .pem", () => {
    assert.equal(digestOfValues({ ".pem": pems.whole }), digestOfValues({ "": pems.whole }));
  });

  it("is the same for the whole bundle and for its parts", () => {
    const parts = { "/tls.crt": pems.chain, "/tls.key": pems.key, "/ca.crt": pems.ca };
    assert.equal(digestOfValues(parts), digestOfValues({ "": pems.whole }));
  });

  it("does not depend on meta.json", () => {
    const parts = { "/tls.crt": pems.chain, "/tls.key": pems.key };
    assert.equal(digestOfValues({ ...parts, "/meta.json": "{}" }), digestOfValues(parts));
  });
});

describe("a change of content", () => {
  it("of any byte of any block changes the digest", () => {
    const place = fc.tuple(fc.nat({ max: 3 }), fc.nat(), fc.integer({ min: 1, max: 255 }));
    const original = digestOfValues({ "": pems.whole });
    fc.assert(
      fc.property(place, ([index, offset, flip]) => {
        const changed = blocks.map((block, at) => (at === index ? flipByte(block, offset, flip) : block));
        assert.notEqual(digestOfValues({ "": changed.map(write).join("") }), original);
      }),
      { numRuns: 300 },
    );
  });

  it("is what digests tell apart: two bundles have one digest where they have the same blocks, and only there", () => {
    const block = fc.tuple(fc.nat({ max: 3 }), fc.array(damage, { maxLength: 1 }));
    const bundle = fc.array(block, { minLength: 1, maxLength: 5 });
    const made = (pieces: readonly (readonly [number, readonly Damage[]])[]) => {
      const texts = pieces.map(([index, damages]) => {
        const { label = "", der = new Uint8Array() } = blocks[index] ?? {};
        return writePem(label, damages.reduce(damageDer, der));
      });
      return { digest: digestOfValues({ "": texts.join("") }), blocks: [...new Set(texts)].sort() };
    };
    fc.assert(
      fc.property(bundle, bundle, (one, other) => {
        const [a, b] = [made(one), made(other)];
        assert.equal(a.digest === b.digest, a.blocks.join() === b.blocks.join());
      }),
      tries(300),
    );
  });

  it("such as a certificate that moves from tls.crt to ca.crt changes the digest", () => {
    const [leaf, intermediate] = [textOf(0), textOf(1)];
    const sent = digestOfValues({ "/tls.crt": leaf + intermediate, "/tls.key": pems.key });
    const trusted = digestOfValues({ "/tls.crt": leaf, "/tls.key": pems.key, "/ca.crt": intermediate });
    assert.notEqual(sent, trusted);
  });

  it("such as a block that is left out changes the digest", () => {
    const original = digestOfValues({ "": pems.whole });
    fc.assert(
      fc.property(fc.nat({ max: 3 }), (left) =>
        assert.notEqual(
          digestOfValues({
            "": blocks
              .filter((_, at) => at !== left)
              .map(write)
              .join(""),
          }),
          original,
        ),
      ),
    );
  });

  it("such as a certificate that is trusted and not sent changes the digest", () => {
    assert.notEqual(digestOfValues({ "/tls.crt": pems.ca }), digestOfValues({ "/ca.crt": pems.ca }));
  });

  it("such as any byte of a PKCS#12 file changes the digest", () => {
    const file = Buffer.from("308204d90201030102", "hex");
    const changed = Buffer.from("308204d90201030103", "hex");
    assert.notEqual(digestOfValues({ ".p12": file }), digestOfValues({ ".p12": changed }));
    assert.equal(digestOfValues({ ".p12": file }), digestOfValues({ ".p12": Buffer.from(file) }));
  });

  for (const frame of ["crl \n", "crl 1\n", "crl"]) {
    it(`such as two blocks that become one, joined by ${JSON.stringify(frame)}, changes the digest`, () => {
      const crl = (text: string) => writePem("X509 CRL", Buffer.from(text));
      assert.notEqual(
        digestOfValues({ "/ca.crl": crl("1") + crl("2") }),
        digestOfValues({ "/ca.crl": crl(`1${frame}2`) }),
      );
    });
  }

  it("such as a byte that moves from one block to the next changes the digest", () => {
    const crl = (...ders: number[][]) =>
      ders.map((der) => writePem("X509 CRL", Uint8Array.from(der))).join("");
    assert.notEqual(
      digestOfValues({ "/ca.crl": crl([1, 2], [3]) }),
      digestOfValues({ "/ca.crl": crl([1], [2, 3]) }),
    );
  });
});

function sameDigest(text: string): void {
  assert.equal(digestOfValues({ "": text }), digestOfValues({ "": pems.whole }));
}

function blocksOf(text: string): readonly PemBlock[] {
  const read = readPem(Buffer.from(text));
  assert.ok(read.ok);
  return read.blocks;
}

function write({ label, der }: PemBlock): string {
  return writePem(label, der);
}

function textOf(index: number): string {
  const block = blocks[index];
  return block === undefined ? "" : write(block);
}

function writeWrapped({ label, der }: PemBlock, width: number, gap: string): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(new RegExp(`.{1,${width}}`, "g")) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join(gap)}\n-----END ${label}-----\n`;
}

function flipByte(block: PemBlock, offset: number, flip: number): PemBlock {
  const der = Uint8Array.from(block.der);
  const at = offset % der.length;
  der[at] = (der[at] ?? 0) ^ flip;
  return { ...block, der };
}
