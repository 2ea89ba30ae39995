import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { describe, it } from "node:test";
import { OutputTail } from "../../src/notify/output-tail.ts";
import { createAuthority } from "../support/pki.ts";

const { privateKeyPem } = await createAuthority("Test");
const secretLines = privateKeyPem.split("\n").filter((line) => line !== "" && !line.startsWith("-----"));

/** What is kept of these writes; each array is one stream, and they take turns. */
async function tailOf(...streams: readonly (readonly string[])[]): Promise<string> {
  const tail = new OutputTail();
  const pipes = streams.map(() => new PassThrough());
  for (const pipe of pipes) tail.follow(pipe);
  const longest = Math.max(...streams.map((writes) => writes.length));
  for (let turn = 0; turn < longest; turn++) {
    for (const [index, pipe] of pipes.entries()) {
      pipe.write(streams[index]?.[turn] ?? "");
      await new Promise(setImmediate);
    }
  }
  return tail.end();
}

function assertNoKey(text: string): void {
  for (const line of secretLines) assert.equal(text.includes(line), false, text);
}

describe("the end of an output", () => {
  it("is one line, without control characters", async () => {
    assert.equal(await tailOf(["a\r\n\n  b\t\u001b[31mred\n"]), "a | b [31mred");
  });

  it("says where it was cut", async () => {
    const text = await tailOf(["begin", "x".repeat(5_000), "end"]);
    assert.match(text, /^…x+end$/);
    assert.equal(text.length, (4 << 10) + 1);
  });

  it("has a private key cut out, wherever it was cut in two between writes", async () => {
    const whole = `before\n${privateKeyPem}after\n`;
    for (let at = 0; at <= whole.length; at++) {
      assert.equal(await tailOf([whole.slice(0, at), whole.slice(at)]), "before | [private key] | after");
    }
  });

  it("has a private key cut out that came letter by letter", async () => {
    assert.equal(await tailOf([...`a${privateKeyPem}b`]), "a[private key] | b");
  });

  for (const kind of ["RSA ", "EC ", "ENCRYPTED ", "OPENSSH ", ""]) {
    it(`has a ${kind}PRIVATE KEY cut out`, async () => {
      assert.equal(await tailOf([privateKeyPem.replaceAll("PRIVATE", `${kind}PRIVATE`)]), "[private key]");
    });
  }

  it("has a private key cut out that is within a line, as in JSON", async () => {
    assert.equal(await tailOf([JSON.stringify({ key: privateKeyPem })]), '{"key":"[private key]\\n"}');
  });

  it("has a private key cut out that has no end, and all after it", async () => {
    const text = await tailOf([`a ${privateKeyPem.slice(0, 150)}`]);
    assert.equal(text, "a [private key]");
  });

  it("has a private key cut out though another output came between its lines", async () => {
    const lines = privateKeyPem.split(/(?<=\n)/);
    const text = await tailOf(
      lines,
      lines.map((_, index) => `line ${index}\n`),
    );
    assertNoKey(text);
    assert.match(text, /line 1/);
  });

  it("has two private keys cut out", async () => {
    const text = await tailOf([`${privateKeyPem}and\n${privateKeyPem}`]);
    assert.equal(text, "[private key] | and | [private key]");
  });

  it("keeps a certificate", async () => {
    assert.match(await tailOf(["-----BEGIN CERTIFICATE-----\nMIIB\n"]), /BEGIN CERTIFICATE/);
  });
});
