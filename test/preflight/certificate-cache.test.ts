import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CertificateFacts } from "../../src/preflight/certificate.ts";
import { rememberCertificates } from "../../src/preflight/certificate-cache.ts";

/** A reader that counts, and finds a problem in what begins with zero. */
function counting() {
  const read: number[][] = [];
  const remembering = rememberCertificates((der) => {
    read.push([...der]);
    if (der[0] === 0) return { code: "CERTIFICATE_UNREADABLE", message: "zero" };
    return { der } as CertificateFacts;
  }, 2);
  return { read, look: (...bytes: number[]) => remembering(Uint8Array.from(bytes), "here") };
}

describe("remembered certificates", () => {
  it("are read once", () => {
    const { read, look } = counting();

    assert.equal(look(1), look(1));

    assert.deepEqual(read, [[1]]);
  });

  it("are those used last", () => {
    const { read, look } = counting();

    for (const byte of [1, 2, 1, 3, 1, 2]) look(byte);

    assert.deepEqual(read, [[1], [2], [3], [2]]);
  });

  it("are never mistaken for one another", () => {
    const { look } = counting();

    assert.notEqual(look(1, 2), look(1, 3));
  });

  it("are not those with a problem, whose message names another place each time", () => {
    const { read, look } = counting();

    look(0);
    look(0);

    assert.equal(read.length, 2);
  });
});
