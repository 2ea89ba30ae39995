import assert from "node:assert/strict";
import { createPrivateKey, type KeyObject } from "node:crypto";
import { before, describe, it } from "node:test";
import { readCertificate } from "../../src/preflight/certificate.ts";
import { createAuthority } from "../support/pki.ts";

describe("a damaged certificate", () => {
  let der: Uint8Array;
  let key: KeyObject;

  before(async () => {
    const authority = await createAuthority("damage");
    const { certificate, privateKeyPem } = await authority.issue(["damage.local", "127.0.0.1"]);
    key = createPrivateKey(privateKeyPem);
    der = new Uint8Array(certificate.rawData);
  });

  it("is read or refused, whichever byte of it is wrong, and never ends the process", () => {
    for (let at = 0; at < der.length; at++) {
      const damaged = der.slice();
      damaged[at] = (damaged[at] ?? 0) ^ 0xff;
      const read = readCertificate(damaged, "here");
      if ("der" in read) assert.equal(typeof read.fits(key), "boolean", `byte ${at}`);
      else assert.ok(read.message.startsWith("here: "), `byte ${at}`);
    }
  });

  it("is refused wherever it is cut off", () => {
    for (let length = 0; length < der.length; length++) {
      const read = readCertificate(der.slice(0, length), "here");
      assert.equal("code" in read && read.code, "CERTIFICATE_UNREADABLE", `${length} bytes`);
    }
  });
});
