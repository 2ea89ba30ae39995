/** Certificates on curves that end the TLS library of some versions of Node: it is the child that ends. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { describe, it } from "node:test";
import { ecKey, type KeyPair, mint, mintAuthority } from "../support/mint.ts";
import { candidateOf, type Presented, presentedBy } from "./candidate.ts";
import { NEVER, useHandshakes } from "./children.ts";
import { lookOf, servedBy, useTls } from "./servers.ts";

const CURVES: readonly (readonly [string, () => KeyPair])[] = [
  ["brainpoolP256r1", () => ecKey("brainpoolP256r1")],
  ["secp256k1", () => ecKey("secp256k1")],
  [
    "P-256 by its parameters",
    () => generateKeyPairSync("ec", { namedCurve: "P-256", paramEncoding: "explicit" }),
  ],
];
const PLACES: readonly (readonly [string, (key: KeyPair) => Presented])[] = [
  ["a leaf", (key) => presentedBy({ leaf: { key } })],
  ["a leaf that is trusted", (key) => ({ chain: [mint({ key })] })],
  ["an intermediate", (key) => presentedBy({ intermediate: { key } })],
  ["a root", (key) => presentedBy({ root: { key } })],
  [
    "a root that is not trusted",
    (key) => ({ ...presentedBy({ root: { key } }), anchors: [mintAuthority("Other")] }),
  ],
];
const GOOD = candidateOf(presentedBy({}));

describe("a candidate on a curve that no service knows", () => {
  for (const [curve, makeKey] of CURVES) {
    it(`gets an answer, wherever it is in the chain, and the next one too: ${curve}`, async (t) => {
      const { prove, losses } = useHandshakes(t);
      for (const [place, present] of PLACES) {
        for (const as of ["server", "client", "both"] as const) {
          const before = losses.length;
          const problems = await prove(candidateOf(present(makeKey()), as), NEVER);
          const isCrash = problems.some(({ code }) => code === "HANDSHAKE_CRASHED");
          assert.equal(losses.length - before, isCrash ? 2 : 0, `${place}, as ${as}`);
          t.diagnostic(`${place}, as ${as}: ${problems.map(({ code }) => code).join() || "accepted"}`);
          assert.deepEqual(await prove(GOOD, NEVER), []);
        }
      }
    });
  }
});

describe("a service on a curve that few know", () => {
  for (const [curve, makeKey] of CURVES.slice(0, 2)) {
    it(`is looked at, or is said to break it, and the next one is looked at: ${curve}`, async (t) => {
      const { lookAt } = useHandshakes(t);
      const root = mintAuthority("Root", { key: makeKey() });
      const port = await useTls(t, servedBy([mint({ issuer: root })]));
      const sight = await lookAt(lookOf(port, { trust: { anchors: root.pem, crls: [] } }), NEVER);
      t.diagnostic(sight.kind === "failed" ? sight.message : JSON.stringify(sight.distrust));
      assert.ok(sight.kind === "served" || sight.reason === "protocol");
      assert.equal((await lookAt(lookOf(port), NEVER)).kind, "served");
    });
  }
});
