import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { readCertificate } from "../../src/preflight/certificate.ts";
import { findChain, type Placed, reachesAnchor } from "../../src/preflight/chain.ts";
import { costOf } from "../support/cost.ts";
import { ecKey, type Minted, mint, mintAuthority } from "../support/mint.ts";

describe("a chain of many certificates", () => {
  it("is found in a moment where sixty authorities issued each other, and none is trusted", () => {
    const certificates = everyoneByEveryone(8);
    const leaf = placed(mint({ issuer: certificates[0] as Minted }));
    const cost = costOf(() => {
      const { path } = findChain(leaf, certificates.map(placed), new Date());
      assert.ok(!reachesAnchor(path) && path.length > 1);
    });
    assert.ok(cost < 5_000, `${cost} ms`);
  });

  it("is looked for in a moment where hundreds of signatures could be the right one", () => {
    const [key, signer] = [ecKey("P-521"), ecKey("P-521")];
    const wish = { key, signer, authority: "none", hasKeyId: false } as const;
    const [one, two] = [mintAuthority("One"), mintAuthority("Two")];
    const ones = Array.from({ length: 31 }, () => mintAuthority("One", { ...wish, issuer: two }));
    const twos = Array.from({ length: 31 }, () => mintAuthority("Two", { ...wish, issuer: one }));
    const leaf = placed(mint({ issuer: one, authority: "none" }));
    const cost = costOf(() => findChain(leaf, [...ones, ...twos].map(placed), new Date()));
    assert.ok(cost < 5_000, `${cost} ms`);
  });

  it("is the shortest that leads to a trust anchor", () => {
    const certificates = everyoneByEveryone(6);
    const [first] = certificates;
    assert.ok(first);
    const root = mintAuthority("Trusted");
    const bridge = mintAuthority("A0", { issuer: root, key: first.key });
    const others = [...certificates, bridge].map(placed);
    const leaf = placed(mint({ issuer: first }));
    const { path } = findChain(leaf, [...others, anchored(root)], new Date());
    assert.deepEqual(textsOf(path), ["inference.local", "A0", "Trusted"]);
  });

  it("has each certificate once, whatever the order they are given in", () => {
    const root = mintAuthority("Root");
    const authorities = [mintAuthority("I1", { issuer: root })];
    for (const name of ["I2", "I3", "I4"])
      authorities.unshift(mintAuthority(name, { issuer: authorities[0] as Minted }));
    const leaf = placed(mint({ issuer: authorities[0] as Minted }));
    const others = [...authorities.map(placed), anchored(root), placed(mintAuthority("Stray"))];
    const order = fc.shuffledSubarray(others, { minLength: others.length });
    fc.assert(
      fc.property(order, (shuffled) => {
        const { path, sent } = findChain(leaf, shuffled, new Date());
        assert.deepEqual(textsOf(path), ["inference.local", "I4", "I3", "I2", "I1", "Root"]);
        assert.deepEqual(textsOf(sent), ["inference.local", "I4", "I3", "I2", "I1"]);
      }),
      { numRuns: 50 },
    );
  });
});

describe("of several authorities of one name, the chain has", () => {
  const root = mintAuthority("Root");
  const key = ecKey();
  const good = mintAuthority("Twin", { issuer: root, key });
  const leaf = placed(mint({ issuer: good, authority: "none" }));
  for (const [what, other] of [
    ["the one whose key made the signature", mintAuthority("Twin", { issuer: root })],
    ["the one that is valid now", mintAuthority("Twin", { issuer: root, key, from: -9, until: -1 })],
    ["the one that is an authority", mint({ subject: "Twin", issuer: root, key, until: 365 })],
    ["the one whose issuer is trusted", mintAuthority("Twin", { issuer: mintAuthority("Unknown"), key })],
  ] as const) {
    it(`${what}, also where it comes second`, () => {
      const { path } = findChain(leaf, [placed(other), placed(good), anchored(root)], new Date());
      assert.deepEqual(path[1]?.certificate.serial, placed(good).certificate.serial);
    });
  }
});

/** Authorities that issued one another, each each. */
function everyoneByEveryone(count: number): Minted[] {
  const all = Array.from({ length: count }, (_, at) => mintAuthority(`A${at}`));
  return all.flatMap((subject, at) =>
    all
      .filter((issuer) => issuer !== subject)
      .map((issuer) => mintAuthority(`A${at}`, { issuer, key: subject.key })),
  );
}

function placed(minted: Minted): Placed {
  const certificate = readCertificate(minted.der, "here");
  assert.ok(!("code" in certificate));
  return { certificate, where: "here", isPresented: true, isAnchor: false };
}

function anchored(minted: Minted): Placed {
  return { ...placed(minted), isPresented: false, isAnchor: true };
}

function textsOf(path: readonly Placed[]): string[] {
  return path.map(({ certificate }) => certificate.subject.replace("CN=", ""));
}
