import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import type { Bundle } from "../../src/core/bundle.ts";
import type { Prove } from "../../src/core/handshake.ts";
import type { Problem } from "../../src/core/problem.ts";
import { Secret } from "../../src/core/secret.ts";
import { createTrustGuard, type TrustFiles } from "../../src/preflight/trust-guard.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { examineValues, textOf, useProve } from "../support/examine.ts";
import { nameOf } from "../support/material.ts";
import { ecKey, type Minted, mint, mintAuthority, mintCrl } from "../support/mint.ts";
import { extensionOf } from "../support/mint-extensions.ts";
import { bundleOf } from "../support/read-bundle.ts";

const prove = useProve();
const signal = new AbortController().signal;
let old: Minted;
let next: Minted;
let leaf: Minted;
before(() => {
  old = mintAuthority("Old Root");
  next = mintAuthority("Next Root");
  leaf = mint({ issuer: old });
});

describe("a trust bundle that replaces another", () => {
  it("is refused where it would cut off a certificate that is live", async () => {
    const problems = await guard({ before: [old], after: [next], live: { web: [leaf] } });
    assert.deepEqual(codesOf(problems), ["TRUST_WOULD_BREAK"]);
    assert.match(problems[0]?.message ?? "", /web \(CN=inference\.local: CHAIN_UNTRUSTED\)/);
    assert.match(problems[0]?.message ?? "", /old anchors and the new ones .* checks\.trustGuard: off/);
  });

  it("names every bundle that would be cut off, and no other", async () => {
    const live = { api: [leaf], web: [leaf], mesh: [mint({ issuer: next })] };
    const [problem] = await guard({ before: [old, next], after: [next], live });
    assert.match(problem?.message ?? "", /: api .*; web [^;]*; put/);
  });

  it("is refused where a new revocation list is of a certificate that is live", async () => {
    const problems = await guard({
      before: [old],
      after: [old],
      lists: [mintCrl({ issuer: old, revoked: [leaf] })],
      live: { web: [leaf] },
    });
    assert.match(problems[0]?.message ?? "", /CERTIFICATE_REVOKED/);
  });

  it("is refused where a revocation list is missing for an intermediate that is live", async () => {
    const intermediate = mintAuthority("Intermediate", { issuer: old });
    const live = { web: [mint({ issuer: intermediate }), intermediate] };
    const problems = await guard({ before: [old], after: [old], lists: [mintCrl({ issuer: old })], live });
    assert.match(problems[0]?.message ?? "", /CRL_MISSING/);
  });

  it("is refused where a certificate with an extension that was allowed would be cut off", async () => {
    const extra = [extensionOf("1.3.6.1.4.1.55555.1", Buffer.from([5, 0]), true)];
    const live = { web: [mint({ issuer: old, extra })] };
    assert.deepEqual(codesOf(await guard({ before: [old], after: [next], live })), ["TRUST_WOULD_BREAK"]);
    assert.deepEqual(await guard({ before: [old, next], after: [old], live }), []);
  });

  it("is refused where another root of the same name takes the place of the one that issued", async () => {
    const problems = await guard({
      before: [old],
      after: [mintAuthority("Old Root")],
      live: { web: [leaf] },
    });
    assert.deepEqual(codesOf(problems), ["TRUST_WOULD_BREAK"]);
  });

  it("is taken where the root was renewed with the same key", async () => {
    const key = ecKey();
    const [first, renewed] = [mintAuthority("R", { key }), mintAuthority("R", { key })];
    const live = { web: [mint({ issuer: first })] };
    assert.deepEqual(await guard({ before: [first], after: [renewed], live }), []);
  });

  it("is taken where what it does not accept was not accepted before, or has expired", async () => {
    const expired = mint({ issuer: old, from: -9, until: -1 });
    const stranger = mint({ issuer: mintAuthority("Stranger") });
    assert.deepEqual(
      await guard({ before: [old], after: [next], live: { a: [expired], b: [stranger] } }),
      [],
    );
  });

  it("is taken where another of the anchors that go away is needed by nobody", async () => {
    assert.deepEqual(await guard({ before: [next, old], after: [old], live: { web: [leaf] } }), []);
  });

  it("is taken without a handshake where it trusts more than before", async () => {
    const never: Prove = () => assert.fail("there was a handshake");
    const more = await guard({ before: [old], after: [old, next], live: { web: [leaf] }, prove: never });
    assert.deepEqual(more, []);
  });

  it("is taken where there was none before", async () => {
    assert.deepEqual(await guard({ before: null, after: [next], live: { web: [leaf] } }), []);
  });

  it("says so where the handshake itself gives no answer", async () => {
    const problem: Problem = { code: "HANDSHAKE_TIMEOUT", message: "it did not end" };
    const late: Prove = async ({ trust }) => (trust.anchors.includes(next.pem) ? [] : [problem]);
    const problems = await guard({ before: [old, next], after: [old], live: { web: [leaf] }, prove: late });
    assert.deepEqual(problems, [problem]);
  });
});

describe("an examination", () => {
  it("asks the guard about a trust bundle", async () => {
    const guardTrust = async ({ name }: Bundle) => [{ code: "TRUST_WOULD_BREAK", message: name }] as const;
    const examined = await examineValues(prove, { "/ca.crt": next.pem }, { guardTrust });
    assert.deepEqual(!examined.ok && codesOf(examined.problems), ["TRUST_WOULD_BREAK"]);
  });

  it("does not ask it about a bundle with a leaf", async () => {
    const values = { "": textOf([leaf, leaf.keyPem, old]) };
    const examined = await examineValues(prove, values, { guardTrust: () => assert.fail("it was asked") });
    assert.equal(examined.ok, true);
  });
});

interface Change {
  readonly before: readonly Minted[] | null;
  readonly after: readonly Minted[];
  /** Revocation lists of the new bundle. */
  readonly lists?: readonly string[];
  /** Chains by bundle, the leaf first. */
  readonly live: Readonly<Record<string, readonly Minted[]>>;
  readonly prove?: Prove;
}

/** What the guard says of a change. */
async function guard(change: Change): Promise<readonly Problem[]> {
  const { lists = [] } = change;
  const files: TrustFiles | null = change.before && { ca: textOf(change.before), crl: null };
  const guardTrust = createTrustGuard({
    current: async () => files,
    live: async () =>
      Object.entries(change.live).map(([name, chain]) => ({
        name: nameOf(name),
        identity: { chain: textOf(chain), key: new Secret(chain[0]?.keyPem ?? "") },
      })),
    prove: change.prove ?? prove,
    clock: systemClock,
  });
  const bundle = bundleOf({
    "/ca.crt": textOf(change.after),
    ...(lists.length === 0 ? {} : { "/ca.crl": lists.join("") }),
  });
  return guardTrust(bundle, signal);
}

function codesOf(problems: readonly Problem[]): string[] {
  return problems.map(({ code }) => code);
}
