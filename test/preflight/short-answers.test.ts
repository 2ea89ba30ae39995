/** However much somebody puts, what is said of it stays short: it goes to the log, the status and a person's terminal. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MAX_CERTIFICATES, MAX_CRLS } from "../../src/core/material.ts";
import { writePem } from "../../src/core/pem.ts";
import type { ProblemCode } from "../../src/core/problem.ts";
import { MAX_VALUE_BYTES } from "../../src/core/snapshot.ts";
import { examineValues, type Settings, type Values } from "../support/examine.ts";
import { codesOf, readValues } from "../support/material.ts";
import { ecKey, mint, mintAuthority, mintCrl } from "../support/mint.ts";

const MOST_CHARS = 3_000;

/** Examines without a handshake; what is said in all is short. */
async function shortAnswerOf(values: Values, settings?: Settings): Promise<readonly ProblemCode[]> {
  const read = readValues(values);
  const answer = read.ok ? await examineValues(async () => [], values, settings) : read;
  assert.equal(answer.ok, false);
  const { length } = JSON.stringify(answer);
  assert.ok(length < MOST_CHARS, `${length} characters: ${JSON.stringify(answer).slice(0, 500)}`);
  return codesOf(answer);
}

/** As many blocks as a value can hold. */
function megabyteOf(label: (at: number) => string): string {
  let text = "";
  for (let at = 0; text.length < MAX_VALUE_BYTES - 200; at++)
    text += writePem(label(at), Buffer.from([at & 255]));
  return text;
}

describe("what is said", () => {
  it("of a megabyte of tiny revocation lists is that they are too many", async () => {
    const codes = await shortAnswerOf({ "/ca.crl": megabyteOf(() => "X509 CRL") });
    assert.deepEqual(codes, ["TOO_MANY_CRLS"]);
  });

  it("of a megabyte of tiny certificates is that they are too many", async () => {
    const codes = await shortAnswerOf({ "": megabyteOf(() => "CERTIFICATE") });
    assert.deepEqual(codes, ["TOO_MANY_CERTIFICATES"]);
  });

  it("of a megabyte of tiny private keys is that they are too many, and why some cannot be read", async () => {
    const codes = await shortAnswerOf({ "": megabyteOf(() => "PRIVATE KEY") });
    assert.ok(codes.includes("TOO_MANY_KEYS"));
  });

  it("of a megabyte of blocks that nobody knows names a few of them", async () => {
    const codes = await shortAnswerOf({ "": megabyteOf((at) => `UNKNOWN ${at} ${"X".repeat(40)}`) });
    assert.deepEqual(codes, ["PEM_MISSING"]);
  });

  it("of one kind of block that nobody knows names it once", async () => {
    const read = readValues({ "": megabyteOf(() => "UNKNOWN") });
    assert.match(JSON.stringify(read), /it has UNKNOWN"/);
  });

  it("of a key that fits none of many certificates names a few of them", async () => {
    const key = ecKey();
    const certificates = Array.from({ length: MAX_CERTIFICATES }, (_, at) =>
      mint({ key, subject: `${at} ${"x".repeat(1_000)}` }),
    );
    const all = certificates.map(({ pem }) => pem).join("");
    const codes = await shortAnswerOf({ "/tls.crt": all, "/tls.key": mint().keyPem });
    assert.deepEqual(codes, ["KEY_MISMATCH"]);
  });

  it("of a key that fits many certificates names a few of them", async () => {
    const key = ecKey();
    const certificates = Array.from({ length: MAX_CERTIFICATES }, () => mint({ key, issuer: mint() }));
    const all = certificates.map(({ pem }) => pem).join("");
    const codes = await shortAnswerOf({ "/tls.crt": all, "/tls.key": certificates[0]?.keyPem ?? "" });
    assert.deepEqual(codes, ["LEAF_AMBIGUOUS"]);
  });

  it("of a name that is missing names a few of those that are there", async () => {
    const names = Array.from({ length: 5_000 }, (_, at) => `host-${at}.local`);
    const leaf = mint({ names });
    const codes = await shortAnswerOf(
      { "": leaf.pem + leaf.keyPem },
      { policy: { requireNames: ["other.local"] } },
    );
    assert.deepEqual(codes, ["NAME_NOT_COVERED"]);
  });

  it("of a leaf with a subject of 300 KB does not repeat it", async () => {
    const root = mintAuthority("r".repeat(100_000));
    const leaf = mint({ subject: "x".repeat(300_000), issuer: root, until: -1, from: -2 });
    const codes = await shortAnswerOf({ "": leaf.pem + leaf.keyPem + root.pem });
    assert.deepEqual(codes, ["CERTIFICATE_EXPIRED"]);
  });
});

describe("a bundle", () => {
  const root = mintAuthority("Root");
  const leaf = mint({ issuer: root });
  const lists = (count: number) => Array.from({ length: count }, () => mintCrl({ issuer: root })).join("");
  const withLists = (count: number) => ({ "": leaf.pem + leaf.keyPem + root.pem, "/ca.crl": lists(count) });

  it(`may have ${MAX_CRLS} revocation lists, and no more`, async () => {
    const { "": own, "/ca.crl": most } = withLists(MAX_CRLS);
    const answer = await examineValues(async () => [], { "": own + most });
    assert.ok(answer.ok, JSON.stringify(answer));
    assert.deepEqual(await shortAnswerOf({ "": own + lists(MAX_CRLS + 1) }), ["TOO_MANY_CRLS"]);
  });
});
