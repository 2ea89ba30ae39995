import assert from "node:assert/strict";
import { createPrivateKey } from "node:crypto";
import { before, describe, it } from "node:test";
import { inspect } from "node:util";
import type { Candidate, Prove } from "../../src/core/handshake.ts";
import type { Problem } from "../../src/core/problem.ts";
import { createExamine } from "../../src/preflight/examine.ts";
import type { Unlock } from "../../src/preflight/unlock.ts";
import { unlock } from "../../src/preflight/unlock.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { DEFAULT_POLICY, examineValues, inParts, textOf, type Values, whole } from "../support/examine.ts";
import { contentsOf } from "../support/material.ts";
import { ecKey, type Minted, mint, mintAuthority, mintCrl } from "../support/mint.ts";

let root: Minted;
let intermediate: Minted;
let leaf: Minted;
before(() => {
  root = mintAuthority("Root");
  intermediate = mintAuthority("Intermediate", { issuer: root });
  leaf = mint({ issuer: intermediate });
});

/** Remembers what it was asked, and has nothing against anything, or one thing. */
function recording(...answer: readonly Problem[]) {
  const candidates: Candidate[] = [];
  const prove: Prove = async (candidate) => {
    candidates.push(candidate);
    return answer;
  };
  return { prove, candidates };
}

describe("what is proven by a handshake", () => {
  it("is the chain as it will be written, by the trust it came with", async () => {
    const { prove, candidates } = recording();
    const lists = [mintCrl({ issuer: root }), mintCrl({ issuer: intermediate })];
    await examineValues(prove, whole(leaf, root, intermediate, ...lists));
    const candidate = candidates.at(-1);
    assert.equal(candidate?.identity.chain, textOf([leaf, intermediate]));
    assert.equal(candidate?.identity.key.reveal(), leaf.keyPem);
    assert.deepEqual(candidate?.trust, { anchors: root.pem, crls: lists });
  });

  for (const [uses, as] of [
    [["serverAuth"], "server"],
    [["clientAuth"], "client"],
    [["serverAuth", "clientAuth"], "server"],
    [null, "server"],
  ] as const) {
    it(`is a leaf for ${uses?.join(" and ") ?? "whatever it is used for"} as ${as}`, async () => {
      const { prove, candidates } = recording();
      await examineValues(prove, whole(mint({ issuer: root, uses }), root));
      assert.deepEqual(
        candidates.map((candidate) => candidate.as),
        [as],
      );
    });
  }

  it("is a leaf that leaves it open as what its issuers leave it", async () => {
    const { prove, candidates } = recording();
    const issuer = mintAuthority("Clients", { issuer: root, uses: ["clientAuth"] });
    const examined = await examineValues(prove, whole(mint({ issuer, uses: null }), issuer, root));
    assert.deepEqual([examined.ok, candidates.at(-1)?.as], [true, "client"]);
  });

  it("is a leaf for both as both, where an issuer is limited: OpenSSL then has the last word on each", async () => {
    const { prove, candidates } = recording();
    const issuer = mintAuthority("Limited", { issuer: root, uses: ["serverAuth", "clientAuth"] });
    await examineValues(prove, whole(mint({ issuer }), issuer, root));
    assert.equal(candidates.at(-1)?.as, "both");
  });

  it("is asked about once where the blocks stand as they are written, before they are read", async () => {
    const { prove, candidates } = recording();
    await examineValues(prove, whole(leaf, intermediate, root));
    assert.equal(candidates.length, 1);
  });

  it("is asked about again where it turns out to be something else", async () => {
    const { prove, candidates } = recording();
    const examined = await examineValues(prove, { "": textOf([intermediate, leaf, root]) + leaf.keyPem });
    assert.deepEqual([examined.ok, candidates.length], [true, 2]);
    assert.equal(candidates[1]?.identity.chain, textOf([leaf, intermediate]));
  });

  it("is not asked about before every curve was seen", async () => {
    const { prove, candidates } = recording();
    await examineValues(prove, whole(mint({ issuer: root, key: ecKey("secp256k1") }), root));
    await examineValues(
      prove,
      whole(leaf, intermediate, root, mintAuthority("Odd", { key: ecKey("secp256k1") })),
    );
    assert.equal(candidates.length, 0);
  });

  for (const [what, values] of [
    ["whose key is missing", (): Values => ({ "": textOf([leaf, intermediate, root]) })],
    ["with trust anchors alone", (): Values => ({ "/ca.crt": root.pem })],
  ] as const) {
    it(`is no bundle ${what}`, async () => {
      const { prove, candidates } = recording();
      await examineValues(prove, values());
      assert.equal(candidates.length, 0);
    });
  }
});

describe("what OpenSSL says", () => {
  const refused = (code: Problem["code"]) => recording({ code, message: "OpenSSL" }).prove;

  it("is a reason by itself where no check of our own has one", async () => {
    const examined = await examineValues(refused("HANDSHAKE_FAILED"), whole(leaf, intermediate, root));
    assert.deepEqual(codesOf(examined), ["HANDSHAKE_FAILED"]);
  });

  it("is left out where a check of our own says it by the same code", async () => {
    const expired = mint({ issuer: root, from: -9, until: -1 });
    const examined = await examineValues(refused("CERTIFICATE_EXPIRED"), whole(expired, root));
    assert.deepEqual(codesOf(examined), ["CERTIFICATE_EXPIRED"]);
    assert.match(!examined.ok ? (examined.problems[0]?.message ?? "") : "", /^CN=inference\.local \(\/certs/);
  });

  it("is left out where a check of our own is behind it", async () => {
    const examined = await examineValues(refused("CHAIN_UNTRUSTED"), whole(leaf, root));
    assert.deepEqual(codesOf(examined), ["CHAIN_INCOMPLETE"]);
  });

  it("stays where what our own checks found is no reason for it", async () => {
    const nameless = mint({ issuer: root, names: null });
    const examined = await examineValues(refused("HANDSHAKE_FAILED"), whole(nameless, root));
    assert.deepEqual(codesOf(examined), ["HANDSHAKE_FAILED", "NAME_MISSING"]);
  });

  it("stays where the child ended over it, whatever else is wrong", async () => {
    const expired = mint({ issuer: root, from: -9, until: -1 });
    const examined = await examineValues(refused("HANDSHAKE_CRASHED"), whole(expired, root));
    assert.deepEqual(codesOf(examined), ["CERTIFICATE_EXPIRED", "HANDSHAKE_CRASHED"]);
  });
});

describe("problems", () => {
  it("come in one order, whatever the order of the blocks", async () => {
    const { prove } = recording();
    const faulty = mint({ issuer: root, from: -9, until: -1, names: null, uses: ["codeSigning"] });
    const codes = [];
    for (const values of [whole(faulty, root), { "": textOf([root, faulty.keyPem, faulty]) }])
      codes.push(codesOf(await examineValues(prove, values)));
    assert.deepEqual(codes[0], codes[1]);
    assert.deepEqual(codes[0], ["CERTIFICATE_EXPIRED", "EXTENDED_KEY_USAGE_WRONG"]);
  });

  it("name the certificate and where it stands, and what to do", async () => {
    const { prove } = recording();
    const examined = await examineValues(prove, whole(leaf, root));
    const [message] = examined.ok ? [] : examined.problems.map((problem) => problem.message);
    assert.match(
      message ?? "",
      /CN=inference\.local \(\/certs\/demo, line 1\) is missing; put CN=Intermediate/,
    );
  });

  it("never hold the key", async () => {
    const { prove } = recording({ code: "HANDSHAKE_FAILED", message: "OpenSSL" });
    const examined = await examineValues(prove, whole(leaf, root));
    const body = leaf.keyPem.split("\n")[1] ?? "";
    assert.ok(!inspect(examined, { depth: 9 }).includes(body) && !JSON.stringify(examined).includes(body));
  });

  it("of parts that do not belong together are only those that another part may cure", async () => {
    const { prove } = recording();
    const expired = mint({ issuer: root, from: -9, until: -1 });
    const values = inParts([{ ...expired, keyPem: leaf.keyPem }], [root]);
    assert.deepEqual(codesOf(await examineValues(prove, values)), ["KEY_MISMATCH"]);
  });
});

describe("a key in a form that only the legacy provider reads", () => {
  it("is told of", async () => {
    const key = createPrivateKey(leaf.keyPem);
    const legacy: Unlock = async (contents, options, signal) => {
      const unlocked = await unlock(contents, options, signal);
      return { ...unlocked, keys: unlocked.keys.map((one) => ({ ...one, key, isLegacy: true })) };
    };
    const events: object[] = [];
    const examine = createExamine({
      policyFor: () => DEFAULT_POLICY,
      unlock: legacy,
      prove: recording().prove,
      clock: systemClock,
      report: (event) => events.push(event),
      guardTrust: null,
    });
    const contents = contentsOf(whole(leaf, intermediate, root));
    await examine(contents, new AbortController().signal);
    const where = contents.blocks.find(({ role }) => role === "private-key")?.where;
    assert.deepEqual(events, [{ type: "key.legacy", bundle: "demo", where }]);
  });
});

describe("an examination that is aborted", () => {
  it("rejects with the reason, while the handshake is out", async () => {
    const stopping = new AbortController();
    const reason = new Error("newer content");
    const examine = createExamine({
      policyFor: () => DEFAULT_POLICY,
      unlock,
      prove: (_candidate, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
          stopping.abort(reason);
        }),
      clock: systemClock,
      report: () => undefined,
      guardTrust: null,
    });
    await assert.rejects(examine(contentsOf(whole(leaf, intermediate, root)), stopping.signal), reason);
  });
});

function codesOf(examined: { readonly ok: boolean; readonly problems?: readonly Problem[] }): string[] {
  return (examined.problems ?? []).map(({ code }) => code);
}
