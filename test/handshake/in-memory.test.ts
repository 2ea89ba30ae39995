import "reflect-metadata";
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { describe, it } from "node:test";
import { KeyUsageFlags } from "@peculiar/x509";
import { createContexts } from "../../src/handshake/contexts.ts";
import { shakeHands } from "../../src/handshake/in-memory.ts";
import { ecKey, mint, mintAuthority, mintCrl, rsaKey } from "../support/mint.ts";
import { until } from "../support/wait.ts";
import { bareCandidateOf, codesOf, type Presented, presentedBy } from "./candidate.ts";

const WRONG = "EXTENDED_KEY_USAGE_WRONG";
const ROLES = ["server", "client", "both"] as const;

describe("a handshake in memory accepts", () => {
  const good: readonly (readonly [string, () => Presented])[] = [
    ["a leaf under an intermediate", () => presentedBy({})],
    ["a leaf under a root", () => underRoot()],
    ["a leaf that signed itself and is trusted", () => selfSigned()],
    ["P-384 under P-521", () => presentedBy({ leaf: ofCurve("P-384"), intermediate: ofCurve("P-521") })],
    ["RSA 2048", () => presentedBy({ leaf: { key: rsaKey() }, root: { key: rsaKey() } })],
    ["RSASSA-PSS", () => presentedBy({ intermediate: { key: rsaKey() }, leaf: { hash: "pss-sha256" } })],
    ["Ed25519", () => presentedBy({ leaf: { key: generateKeyPairSync("ed25519") } })],
    ["revocation lists of every authority", () => withCrls()],
    ["a root that may not sign revocation lists, where there are none", () => withoutCrlSign()],
    ["a chain out of order", () => outOfOrder()],
    ["a chain without trust anchors", () => ({ chain: presentedBy({}).chain })],
    ["a leaf alone without trust anchors", () => ({ chain: [presentedBy({}).leaf] })],
    ["a leaf that signed itself, without trust anchors", () => ({ chain: selfSigned().chain })],
  ];
  for (const [what, present] of good) {
    it(what, async () => {
      const presented = present();
      for (const as of ROLES) assert.deepEqual(await codesOf(presented, as), [], as);
    });
  }
});

describe("what a leaf is proven as", () => {
  const uses = [
    [["serverAuth"], { server: [], client: [WRONG], both: [WRONG] }],
    [["clientAuth"], { server: [WRONG], client: [], both: [WRONG] }],
    [["serverAuth", "clientAuth"], { server: [], client: [], both: [] }],
  ] as const;
  for (const [allowed, expected] of uses) {
    for (const as of ROLES) {
      it(`is a matter of its extended key usage: ${allowed.join(" and ")}, as ${as}`, async () => {
        assert.deepEqual(await codesOf(presentedBy({ leaf: { uses: allowed } }), as), expected[as]);
      });
    }
  }

  it("is said in the message where only one side refuses it", async () => {
    const candidate = bareCandidateOf(presentedBy({ leaf: { uses: ["serverAuth"] } }), "both");
    const [problem] = await shakeHands(candidate, createContexts());
    assert.match(problem?.message ?? "", /OpenSSL as server: unsuitable certificate purpose/);
  });

  it("is said once where both sides refuse it", async () => {
    const candidate = bareCandidateOf(presentedBy({ leaf: { from: -20, until: -10 } }), "both");
    const problems = await shakeHands(candidate, createContexts());
    assert.equal(problems.length, 1);
    assert.match(problems[0]?.message ?? "", /OpenSSL as client and as server: certificate has expired/);
  });
});

describe("trust that was given before", () => {
  it("is not taken for other trust, nor revocation lists for others", async () => {
    const contexts = createContexts();
    const presented = withCrls();
    const revoked = mintCrl({ issuer: presented.root, revoked: [presented.intermediate] });
    const codes = async (trust: Partial<Presented>) => {
      const candidate = bareCandidateOf({ ...presented, ...trust }, "server");
      return (await shakeHands(candidate, contexts)).map(({ code }) => code);
    };
    const stranger = [mintAuthority("Root")];
    assert.deepEqual(await codes({}), []);
    assert.deepEqual(await codes({ anchors: stranger, crls: [] }), ["CHAIN_UNTRUSTED"]);
    assert.deepEqual(await codes({ crls: [revoked, ...presented.crls.slice(1)] }), ["CERTIFICATE_REVOKED"]);
    assert.deepEqual(await codes({ crls: [] }), []);
    assert.deepEqual(await codes({}), []);
  });

  it("is judged by the time it is now: a list that expires is not good for ever", async () => {
    const contexts = createContexts();
    const presented = presentedBy({});
    const untilSoon = 1.5 / 86_400;
    const crls = [presented.root, presented.intermediate].map((issuer) =>
      mintCrl({ issuer, until: untilSoon }),
    );
    const codes = async () => {
      const problems = await shakeHands(bareCandidateOf({ ...presented, crls }, "server"), contexts);
      return problems.map(({ code }) => code).join();
    };
    await until("the list has expired", async () => (await codes()) === "CRL_EXPIRED");
  });
});

function underRoot(): Presented {
  const root = mintAuthority("Root");
  return { chain: [mint({ issuer: root })], anchors: [root] };
}

function selfSigned(): Presented {
  const leaf = mint();
  return { chain: [leaf], anchors: [leaf] };
}

function withCrls() {
  const presented = presentedBy({});
  return {
    ...presented,
    crls: [presented.root, presented.intermediate].map((issuer) => mintCrl({ issuer })),
  };
}

function withoutCrlSign(): Presented {
  return presentedBy({ root: { keyUsage: KeyUsageFlags.keyCertSign } });
}

function outOfOrder(): Presented {
  const { leaf, intermediate, root } = presentedBy({});
  return { chain: [leaf, root, intermediate], anchors: [root] };
}

function ofCurve(curve: string) {
  return { key: ecKey(curve) };
}
