import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type CrlFacts, readCrl } from "../../src/preflight/crl.ts";
import { derOf, sequence, tlv } from "../support/asn1.ts";
import { costOf } from "../support/cost.ts";
import { type CrlWish, ecKey, type Minted, mint, mintAuthority, mintCrl, rsaKey } from "../support/mint.ts";
import { extensionOf } from "../support/mint-extensions.ts";

const authority = mintAuthority("Authority");
const revoked = mint({ issuer: authority });
const other = mint({ issuer: authority });

describe("a revocation list", () => {
  it("says what is revoked, and by its whole serial number", () => {
    const shorter = mint({ issuer: authority, serial: revoked.serial.subarray(0, -1).toString("hex") });
    const { revokes } = read({ issuer: authority, revoked: [shorter, mint(), revoked] });
    assert.deepEqual([revokes(revoked.serial), revokes(other.serial)], [true, false]);
  });

  it("says nothing is revoked where it has no entries", () => {
    assert.equal(read({ issuer: authority }).revokes(revoked.serial), false);
  });

  it("says from when and until when it holds, to the second", () => {
    const { thisUpdate, nextUpdate } = read({ issuer: authority, from: -1, until: 7 });
    assert.equal(Math.round(((nextUpdate?.getTime() ?? 0) - thisUpdate.getTime()) / 1_000), 8 * 86_400);
  });

  it("says times after 2049, and before 2000", () => {
    const { thisUpdate, nextUpdate } = read({ issuer: authority, from: -11_000, until: 11_000 });
    assert.deepEqual(
      [thisUpdate.getUTCFullYear() < 2000, (nextUpdate?.getUTCFullYear() ?? 0) > 2049],
      [true, true],
    );
  });

  it("need not say when the next one comes", () => {
    assert.equal(read({ issuer: authority, until: null }).nextUpdate, undefined);
  });

  for (const [kind, key] of [
    ["P-256", ecKey()],
    ["P-521", ecKey("P-521")],
    ["RSA", rsaKey()],
    ["RSASSA-PSS", generateKeyPairSync("rsa-pss", { modulusLength: 2048 })],
    ["Ed25519", generateKeyPairSync("ed25519")],
  ] as const) {
    it(`is known by its signature: ${kind}`, () => {
      const issuer = mintAuthority("Signer", { key });
      const { isSignedBy } = read({ issuer });
      assert.deepEqual([isSignedBy(key.publicKey), isSignedBy(authority.key.publicKey)], [true, false]);
    });
  }

  it("says what it is a list of, and whether of changes only", () => {
    const scope = extensionOf("2.5.29.28", sequence(tlv(0x81, Buffer.from([0xff]))), true);
    const delta = extensionOf("2.5.29.27", tlv(0x02, Buffer.from([1])), true);
    const [whole, part] = [read({ issuer: authority }), read({ issuer: authority, extra: [scope, delta] })];
    assert.deepEqual([whole.scope, whole.isDelta], ["", false]);
    assert.deepEqual([part.scope, part.isDelta], ["30038101ff", true]);
  });
});

describe("a large revocation list", () => {
  it("is read and searched in a moment", () => {
    const entries: Minted[] = Array.from({ length: 25_000 }, (_, at) => ({
      ...revoked,
      serial: Buffer.from((0x70000000 + at).toString(16).padStart(16, "5a"), "hex"),
    }));
    const der = derOf(mintCrl({ issuer: authority, revoked: entries }));
    assert.ok(der.length > 600_000);
    const cost = costOf(() => {
      const list = readCrl(der, "here");
      assert.ok("revokes" in list && !list.revokes(other.serial) && list.isSignedBy(authority.key.publicKey));
    });
    assert.ok(cost < 1_000, `${cost} ms`);
  });
});

describe("what is no revocation list", () => {
  const good = derOf(mintCrl({ issuer: authority, revoked: [revoked] }));

  it("is refused wherever it is cut off", () => {
    for (let length = 0; length < good.length; length++) {
      const list = readCrl(good.subarray(0, length), "here");
      assert.equal("code" in list && list.code, "CRL_UNREADABLE", `${length} bytes`);
    }
  });

  it("is refused where something follows", () => {
    assert.ok("code" in readCrl(Buffer.concat([good, Buffer.from([0])]), "here"));
  });

  it("is refused or not signed, whatever byte of it is wrong", () => {
    const at = fc.nat({ max: good.length - 1 });
    fc.assert(
      fc.property(at, fc.integer({ min: 1, max: 255 }), (place, change) => {
        const damaged = Buffer.from(good);
        damaged[place] = (damaged[place] ?? 0) ^ change;
        const list = readCrl(damaged, "here");
        if ("code" in list) return assert.ok(list.message.startsWith("here: "));
        list.revokes(revoked.serial);
        assert.equal(list.isSignedBy(authority.key.publicKey), false);
      }),
      { numRuns: 2_000 },
    );
  });

  it("never throws on anything", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void readCrl(bytes, "here")));
  });
});

function read(wish: CrlWish): CrlFacts {
  const list = readCrl(derOf(mintCrl(wish)), "here");
  assert.ok(!("code" in list), "code" in list ? list.message : "");
  return list;
}
