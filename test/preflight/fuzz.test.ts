/** Whatever is made of real bundles: they are read to an ordinary answer, and what is accepted belongs together. */
import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import { readPem } from "../../src/core/pem.ts";
import type { Problem } from "../../src/core/problem.ts";
import type { Examined } from "../../src/preflight/examine.ts";
import { derOf } from "../support/asn1.ts";
import { examineValues, type Values } from "../support/examine.ts";
import { tries } from "../support/fuzz.ts";
import { exportKey } from "../support/locked-keys.ts";
import { readValues } from "../support/material.ts";
import { ecKey, mint, mintAuthority, mintCrl, rsaKey } from "../support/mint.ts";
import {
  type Blow,
  blow,
  type Damage,
  damage,
  damageDer,
  strike,
  type Writing,
  writeAs,
  writing,
} from "../support/mutations.ts";

const root = mintAuthority("Root");
const intermediate = mintAuthority("Intermediate", { issuer: root });
const rsa = mint({ issuer: intermediate, key: rsaKey() });
const ec = mint({ issuer: intermediate, key: ecKey("P-384") });
const other = mint({ subject: "other.local", issuer: root });
const texts = [
  rsa.pem,
  ec.pem,
  other.pem,
  intermediate.pem,
  root.pem,
  exportKey(rsa.key.privateKey, "pkcs1"),
  exportKey(ec.key.privateKey, "sec1"),
  other.keyPem,
  exportKey(ec.key.privateKey, "pkcs8", { cipher: "aes-256-cbc", passphrase: "open sesame" }),
  mintCrl({ issuer: root, revoked: [mint()] }),
  mintCrl({ issuer: intermediate, revoked: [mint(), mint()] }),
];
const POOL = texts.flatMap((text) => {
  const read = readPem(Buffer.from(text));
  return read.ok ? read.blocks : [];
});
/** Leaf, its issuers, its key and its lists: what is good as long as nothing is done to it. */
const GOOD = [1, 3, 4, 6, 9, 10];

/** Blocks of one value, each with what is done to it. */
const value = fc.array(
  fc.record({
    block: fc.oneof(fc.nat({ max: POOL.length - 1 }), fc.constantFrom(...GOOD)),
    damages: fc.array(damage, { maxLength: 2 }),
    how: writing,
  }),
  { minLength: 1, maxLength: 8 },
);

function write(pieces: readonly { block: number; damages: readonly Damage[]; how: Writing }[]): Buffer {
  const written = pieces.map(({ block, damages, how }) => {
    const { label = "", der = new Uint8Array() } = POOL[block] ?? {};
    return writeAs({ label, der: damages.reduce(damageDer, der) }, how);
  });
  return Buffer.from(written.join(""));
}

/** Reads and examines values, but for the handshake: what OpenSSL says comes on top. */
async function answerOf(values: Values): Promise<Examined> {
  const read = readValues(values);
  return read.ok ? examineValues(async () => [], values) : read;
}

function isOrdinary(answer: Examined): void {
  if (answer.ok) {
    belongsTogether(answer);
    return;
  }
  assert.ok(answer.problems.length > 0);
  for (const problem of answer.problems) isNamed(problem);
}

function isNamed({ code, message }: Problem): void {
  // A check that broke down is a fault of keyturn.
  assert.notEqual(code, "CHECK_FAILED", message);
  assert.match(code, /^[A-Z0-9_]+$/);
  assert.ok(message !== "" && message.length < 2_100, message);
}

function belongsTogether({ bundle: { identity, anchors } }: Extract<Examined, { readonly ok: true }>): void {
  if (identity === null) {
    assert.ok(anchors.length > 0);
    return;
  }
  const { chain, leaf, privateKeyPem } = identity;
  const certificate = new X509Certificate(Buffer.from(chain[0] ?? new Uint8Array()));
  assert.ok(certificate.checkPrivateKey(createPrivateKey(privateKeyPem.reveal())));
  assert.equal(certificate.fingerprint256, leaf.fingerprint256);
}

describe("whatever is put together from blocks of real bundles", () => {
  it("is good as long as nothing is done to it but to write it otherwise", async () => {
    const good = fc.tuple(
      fc.shuffledSubarray(GOOD, { minLength: GOOD.length }),
      fc.array(writing, { minLength: GOOD.length, maxLength: GOOD.length }),
    );
    await fc.assert(
      fc.asyncProperty(good, async ([order, ways]) => {
        const pieces = ways.map((how, index) => ({ block: order[index] ?? 0, damages: [], how }));
        const answer = await answerOf({ "": write(pieces) });
        assert.ok(answer.ok, JSON.stringify(answer));
        belongsTogether(answer);
      }),
      tries(30),
    );
  });

  it("is a bundle that belongs together, or refused by name", async () => {
    await fc.assert(
      fc.asyncProperty(value, async (pieces) => isOrdinary(await answerOf({ "": write(pieces) }))),
      tries(400),
    );
  });

  it("is so in parts too", async () => {
    const part = fc.option(value, { nil: undefined });
    const parts = fc.record({ "/tls.crt": part, "/tls.key": part, "/ca.crt": part, "/ca.crl": part });
    await fc.assert(
      fc.asyncProperty(parts, async (given) => {
        const put = Object.entries(given).flatMap(([key, pieces]) =>
          pieces === undefined ? [] : [[key, write(pieces)] as const],
        );
        fc.pre(put.length > 0);
        isOrdinary(await answerOf(Object.fromEntries(put)));
      }),
      tries(100),
    );
  });

  it("is so where the text was damaged on its way", async () => {
    const blows: fc.Arbitrary<readonly Blow[]> = fc.array(blow, { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(value, blows, async (pieces, all) => {
        const text = all.reduce(strike, write(pieces));
        isOrdinary(await answerOf({ "": text }));
      }),
      tries(400),
    );
  });

  it("is so where it is binary, at a key for PEM", async () => {
    const binary = fc.tuple(fc.nat({ max: POOL.length - 1 }), fc.array(damage, { maxLength: 3 }));
    await fc.assert(
      fc.asyncProperty(binary, async ([block, damages]) => {
        const der = damages.reduce(damageDer, POOL[block]?.der ?? derOf(root.pem));
        isOrdinary(await answerOf({ "": der }));
      }),
      tries(100),
    );
  });
});
