import assert from "node:assert/strict";
import { createPrivateKey, type KeyObject } from "node:crypto";
import { before, describe, it } from "node:test";
import fc from "fast-check";
import { writePem } from "../../src/core/pem.ts";
import { readCertificate } from "../../src/preflight/certificate.ts";
import { derOf } from "../support/asn1.ts";
import { examineValues } from "../support/examine.ts";
import { mint, mintAuthority, mintCrl } from "../support/mint.ts";
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

describe("a bundle with a damaged byte", () => {
  const root = mintAuthority("Root");
  const intermediate = mintAuthority("Intermediate", { issuer: root });
  const leaf = mint({ issuer: intermediate });
  const lists = [root, intermediate].map((issuer) => derOf(mintCrl({ issuer, revoked: [mint()] })));
  const parts = [
    ["CERTIFICATE", leaf.der],
    ["CERTIFICATE", intermediate.der],
    ...lists.map((der) => ["X509 CRL", der] as const),
  ] as const;

  it("is good without the damage", async () => {
    assert.equal((await examineDamaged(-1, 0, 0)).ok, true);
  });

  it("is refused by our own checks, wherever the byte is in its chain and its revocation lists", async () => {
    const place = fc.nat({ max: parts.length - 1 });
    await fc.assert(
      fc.asyncProperty(place, fc.nat(), fc.integer({ min: 1, max: 255 }), async (part, at, change) => {
        const examined = await examineDamaged(part, at, change);
        assert.ok(!examined.ok && examined.problems.length > 0);
      }),
      { numRuns: 1_500 },
    );
  });

  function examineDamaged(part: number, at: number, change: number) {
    const texts = parts.map(([label, der], index) => {
      const bytes = Buffer.from(der);
      if (index === part) bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ change;
      return writePem(label, bytes);
    });
    const [chain, crls] = [texts.slice(0, 2).join(""), texts.slice(2).join("")];
    const values = { "/tls.crt": chain, "/tls.key": leaf.keyPem, "/ca.crt": root.pem, "/ca.crl": crls };
    return examineValues(async () => [], values);
  }
});
