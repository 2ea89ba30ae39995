/** How `npm run conformance` reads a file, and what it makes of a test case. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { limboCase, useLimboFile, useLimboText } from "../support/limbo.ts";
import { createBundleMaker } from "../support/pki.ts";
import { type LimboCase, readCase } from "./limbo-case.ts";
import { readCases } from "./read-cases.ts";
import { trialOf } from "./trial.ts";

describe("reading a file in the x509-limbo format", () => {
  it("gives every case as it stands, in order", async (t) => {
    const cases = [limboCase("a::one"), limboCase("a::two", { features: ["has-crl"] })];
    assert.deepEqual(await readAll(await useLimboFile(t, cases)), cases);
  });

  it("gives none of an empty list", async (t) => {
    assert.deepEqual(await readAll(await useLimboFile(t, [])), []);
  });

  it("passes over whatever else stands beside the list", async (t) => {
    const text = `\uFEFF{"$schema": "x", "about": {"testcases": [{"no": 1}]}, "testcases": [{"yes": 1}], "version": 1}`;
    assert.deepEqual(await readAll(await useLimboText(t, text)), [{ yes: 1 }]);
  });

  it("is not led astray by what strings hold, wherever the file is cut into pieces", async (t) => {
    const odd = fc.string({
      unit: fc.constantFrom('"', "\\", "{", "}", "[", "]", ",", "ü", "𝕏", "\n"),
      minLength: 30_000,
      maxLength: 40_000,
    });
    await fc.assert(
      fc.asyncProperty(odd, odd, async (id, description) => {
        const cases = [{ id, description, nested: [[{ id }]] }, { id: description }];
        assert.deepEqual(await readAll(await useLimboFile(t, cases)), cases);
      }),
      { numRuns: 20 },
    );
  });

  for (const [what, text, why] of [
    ["is cut off within a case", '{"version": 1, "testcases": [{"id": "a"', /not JSON/],
    ["is cut off after a case", '{"version": 1, "testcases": [{"id": "a"}', /not JSON/],
    ["is empty", "", /not JSON/],
    ["is of another version", '{"version": 2, "testcases": []}', /version is 2/],
    ["has no version", '{"testcases": []}', /version/],
    ["has no cases", '{"version": 1}', /no testcases/],
    ["is a list", "[1]", /no testcases/],
    ["is null", "null", /no testcases/],
    ["has a case that is no object", '{"version": 1, "testcases": ["a"]}', /no object/],
    ["has a case that is no JSON", '{"version": 1, "testcases": [{id: 1}]}', /not JSON/],
    ["holds much besides cases", `{"version": 1, "x": "${"x".repeat(70_000)}", "testcases": []}`, /too much/],
  ] as const) {
    it(`says so where the file ${what}`, async (t) => {
      await assert.rejects(readAll(await useLimboText(t, text)), why);
    });
  }

  it("names a file that is not there", async () => {
    await assert.rejects(readAll("/no/such/limbo.json"), /\/no\/such\/limbo\.json: ENOENT/);
  });
});

describe("a test case", () => {
  it("may leave out what is empty, or say null", () => {
    const sparse = {
      id: "a",
      description: "",
      features: null,
      validation_kind: "CLIENT",
      trusted_certs: [],
      untrusted_intermediates: [],
      peer_certificate: "",
      expected_result: "FAILURE",
    };
    const read = readCase(sparse) as LimboCase;
    assert.deepEqual([read.features, read.crls, read.key_usage], [[], [], []]);
  });

  it("that is not in the format is named with its fault", () => {
    assert.deepEqual(Object.keys(readCase({ id: "a" })), ["fault"]);
    assert.match(JSON.stringify(readCase(limboCase("a", { validation_kind: "BOTH" }))), /validation_kind/);
    assert.match(JSON.stringify(readCase(null)), /expected object/i);
  });

  for (const [fields, why] of [
    [{ peer_certificate_key: null }, /no private key/],
    [{ trusted_certs: [] }, /no trusted certificate/],
    [{ signature_algorithms: ["RSA_WITH_SHA1"] }, /signature_algorithms/],
    [{ max_chain_depth: 0 }, /max_chain_depth/],
    [{ key_usage: ["digitalSignature", "keyAgreement"] }, /key_usage/],
    [{ extended_key_usage: ["serverAuth", "codeSigning"] }, /codeSigning/],
    [{ extended_key_usage: ["1.2.3"] }, /1\.2\.3/],
    [{ expected_peer_name: { kind: "RFC822", value: "a@b" } }, /RFC822/],
    [{ expected_peer_names: [{ kind: "RFC822", value: "a@b" }] }, /RFC822/],
  ] as const) {
    it(`is not applicable with ${JSON.stringify(fields)}`, () => {
      const trial = trialOf(caseOf(fields), new Date());
      assert.match("notApplicable" in trial ? trial.notApplicable : "a trial", why);
    });
  }

  it("becomes a bundle in parts, as it would stand in etcd", async () => {
    const { read } = applicable(await realCase());
    assert.ok(read.ok);
    const { inParts, blocks } = read.contents;
    assert.equal(inParts, true);
    assert.deepEqual(
      blocks.map(({ role }) => role),
      ["certificate", "certificate", "private-key", "trust-anchor"],
    );
  });

  it("asks for its names, and for the use of its side", async () => {
    const server = { expected_peer_name: { kind: "IP", value: "192.0.2.1" }, extended_key_usage: [] };
    const { policy } = applicable(await realCase(server));
    assert.deepEqual([policy.requireNames, policy.requireEku], [["192.0.2.1"], ["serverAuth"]]);
    const client = {
      validation_kind: "CLIENT",
      expected_peer_name: null,
      expected_peer_names: [
        { kind: "DNS", value: "a" },
        { kind: "DNS", value: "b" },
      ],
      extended_key_usage: ["clientAuth", "serverAuth"],
    };
    const other = applicable(await realCase(client)).policy;
    assert.deepEqual(
      [other.requireNames, other.requireEku],
      [
        ["a", "b"],
        ["clientAuth", "serverAuth"],
      ],
    );
  });

  it("with a value over the limit is refused as the daemon would", async () => {
    const { read } = applicable(await realCase({ untrusted_intermediates: ["x".repeat(1_100_000)] }));
    assert.deepEqual(read.ok ? [] : read.problems.map(({ code }) => code), ["VALUE_TOO_LARGE"]);
  });

  it("at another time is compared where nothing began or ended since", async () => {
    const real = await realCase({ validation_time: new Date().toISOString() });
    applicable(real);
  });

  for (const [what, date] of [
    ["before its certificates began", "2001-02-03T04:05:06Z"],
    ["after they end", "2301-02-03T04:05:06+02:00"],
  ] as const) {
    it(`at a time ${what} needs that clock`, async () => {
      const trial = trialOf(await realCase({ validation_time: date }), new Date());
      assert.deepEqual(trial, { notApplicable: `needs the clock of ${date.slice(0, 10)}` });
    });
  }
});

async function readAll(path: string): Promise<unknown[]> {
  const cases: unknown[] = [];
  for await (const json of readCases(path)) cases.push(json);
  return cases;
}

function caseOf(fields: Readonly<Record<string, unknown>>): LimboCase {
  const read = readCase(limboCase("a::case", fields));
  if ("fault" in read) throw new Error(read.fault);
  return read;
}

async function realCase(fields: Readonly<Record<string, unknown>> = {}): Promise<LimboCase> {
  const maker = await createBundleMaker();
  const { leaf, key, ca } = await maker.make("example.com");
  return caseOf({
    peer_certificate: leaf.certificatePem,
    peer_certificate_key: key,
    untrusted_intermediates: [maker.intermediate.certificatePem],
    trusted_certs: [ca],
    ...fields,
  });
}

function applicable(testCase: LimboCase) {
  const trial = trialOf(testCase, new Date());
  if ("notApplicable" in trial) throw new Error(trial.notApplicable);
  return trial;
}
