/** Hundreds of candidates that are refused leave nothing behind, in neither process. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Minted, mint, mintAuthority, mintCrl, rsaKey } from "../support/mint.ts";
import { candidateOf, presentedBy } from "./candidate.ts";
import { NEVER, onlyChild, rssOf, useHandshakes } from "./children.ts";
import { lookOf, servedBy, useTls } from "./servers.ts";

/** What is still taken for noise; 500 handshakes that are not let go are 65 MB. */
const FLAT = 1.35;

describe("memory", () => {
  it("does not grow with candidates that are refused", async (t) => {
    const { prove, losses } = useHandshakes(t);
    const candidates = [
      presentedBy({ leaf: { from: -20, until: -10 } }),
      presentedBy({ leaf: { uses: ["codeSigning"] } }),
      presentedBy({ leaf: { key: rsaKey(1024) } }),
      { ...presentedBy({}), anchors: [mintAuthority("Other")] },
      { ...presentedBy({}), key: mint({ key: rsaKey() }).keyPem },
      ofRevoked(),
    ].flatMap((presented) => [candidateOf(presented, "server"), candidateOf(presented, "both")]);
    const refuse = async (times: number) => {
      for (let n = 0; n < times; n++) {
        const candidate = candidates[n % candidates.length];
        const problems = candidate === undefined ? [] : await prove(candidate, NEVER);
        assert.equal(problems.length, 1, JSON.stringify(problems));
      }
    };
    await refuse(300);
    const child = await onlyChild();
    const before = { child: rssOf(child), own: process.memoryUsage.rss() };
    await refuse(500);
    const after = { child: rssOf(await onlyChild()), own: process.memoryUsage.rss() };
    t.diagnostic(JSON.stringify({ before, after }));
    assert.ok(after.child / before.child < FLAT, JSON.stringify({ before, after }));
    assert.ok(after.own / before.own < FLAT, JSON.stringify({ before, after }));
    assert.equal(await onlyChild(), child);
    assert.deepEqual(losses, []);
  });

  it("does not grow with looks", async (t) => {
    const { lookAt } = useHandshakes(t);
    const port = await useTls(t, servedBy(presentedBy({}).chain));
    const lookAll = async (times: number) => {
      for (let n = 0; n < times; n++) assert.equal((await lookAt(lookOf(port), NEVER)).kind, "served");
    };
    await lookAll(300);
    const child = await onlyChild();
    const before = rssOf(child);
    await lookAll(300);
    const after = rssOf(await onlyChild());
    t.diagnostic(JSON.stringify({ before, after }));
    assert.ok(after / before < FLAT, JSON.stringify({ before, after }));
  });
});

function ofRevoked() {
  const { root, intermediate, leaf, ...presented } = presentedBy({});
  const lists: readonly (readonly [Minted, readonly Minted[]])[] = [
    [root, []],
    [intermediate, [leaf]],
  ];
  return { ...presented, crls: lists.map(([issuer, revoked]) => mintCrl({ issuer, revoked })) };
}
