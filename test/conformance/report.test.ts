/** How `npm run conformance` goes through its cases whatever they do, and what it says of them. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { limboCase } from "../support/limbo.ts";
import { createExaminer } from "./examiner.ts";
import { optionsOf } from "./options.ts";
import { textOf } from "./report.ts";
import { runCases } from "./run.ts";
import type { Result } from "./tally.ts";

const FAKE = fileURLToPath(new URL("../support/fake-examiner.ts", import.meta.url));
const DEADLINE_MS = 60_000;
/** For cases that are meant to reach it. */
const SHORT_DEADLINE_MS = 3_000;

const good = (id: string, fields = {}) => limboCase(id, { expected_result: "SUCCESS", ...fields });
const bad = (id: string, fields = {}) => limboCase(id, { expected_result: "FAILURE", ...fields });

describe("the verdicts of cases, beside what the file expects", () => {
  it("are agreement, false accepts and false rejects", async (t) => {
    const result = await run(t, [
      good("a::accepts"),
      bad("a::rejects"),
      bad("b::accepts", { features: ["pedantic"], conflicts_with: ["a::accepts"] }),
      good("b::rejects"),
    ]);
    assert.deepEqual([result.cases, result.agreement], [4, 2]);
    assert.deepEqual(result.falseAccepts, [
      {
        id: "b::accepts",
        description: "What b::accepts shows.",
        features: ["pedantic"],
        conflictsWith: ["a::accepts"],
      },
    ]);
    assert.deepEqual(
      result.falseRejects.map(({ id, problems }) => [id, problems.map(({ code }) => code)]),
      [["b::rejects", ["CHAIN_UNTRUSTED"]]],
    );
  });

  it("are neither where the case is not applicable, whatever is expected", async (t) => {
    const result = await run(t, [
      good("a::passes"),
      bad("b::passes"),
      limboCase("c::x", { validation_kind: 1 }),
    ]);
    assert.deepEqual([result.cases, result.agreement], [3, 0]);
    assert.deepEqual(result.notApplicable["no setting"], ["a::passes", "b::passes"]);
    const [other = ""] = Object.keys(result.notApplicable).filter((why) => why !== "no setting");
    assert.match(other, /^not in the format: validation_kind/);
  });

  it("name what was contained, and count it as refused", async (t) => {
    const result = await run(t, [bad("a::contains"), good("b::contains")]);
    assert.deepEqual(
      result.contained.map(({ id }) => id),
      ["a::contains", "b::contains"],
    );
    assert.deepEqual([result.agreement, result.falseRejects.length], [1, 1]);
  });
});

describe("a case that goes wrong", () => {
  it("is reported as broken where a check breaks", async (t) => {
    const { broken, agreement } = await run(t, [bad("a::breaks"), good("a::accepts")]);
    assert.deepEqual(
      [broken.map(({ id, how }) => [id, how]), agreement],
      [[["a::breaks", "a check threw"]], 1],
    );
  });

  for (const [way, how] of [
    ["exits", "ended with 7"],
    ["dies", "ended with SIGSEGV"],
  ] as const) {
    it(`is reported as crashed where the process ${way}, and the next case is examined`, async (t) => {
      const { crashed, agreement } = await run(t, [bad(`a::${way}`), good("a::accepts")]);
      assert.deepEqual([crashed.map(({ id, how }) => [id, how]), agreement], [[[`a::${way}`, how]], 1]);
    });
  }

  for (const way of ["waits", "spins"]) {
    it(`is reported as hung where the process ${way} for ever, and the next case is examined`, async (t) => {
      const cases = [good("a::accepts"), bad(`a::${way}`), good("b::accepts")];
      const { hung, agreement } = await run(t, cases, { deadlineMs: SHORT_DEADLINE_MS });
      assert.deepEqual([hung.map(({ id }) => id), agreement], [[`a::${way}`], 2]);
      assert.match(hung[0]?.how ?? "", /no answer within 3000 ms/);
    });
  }

  it("is not mistaken for the one before it, after which the process ended", async (t) => {
    const { cases, crashed } = await run(t, [
      good("a::accepts::last"),
      good("b::accepts"),
      good("c::accepts"),
    ]);
    assert.equal(cases, 3);
    assert.ok(crashed.length <= 1);
    for (const { how } of crashed) assert.match(how, /after the case before|ended with 0/);
  });

  it("cannot write into the report", async (t) => {
    assert.equal((await run(t, [good("a::prints"), good("b::prints")])).agreement, 2);
  });
});

describe("a run", () => {
  it("examines only what is asked for", async (t) => {
    const cases = [good("a::accepts"), bad("b::dies"), good("c::accepts::x"), good("d::rejects")];
    const { cases: count, agreement } = await run(t, cases, { only: ["a::*", "*::x"] });
    assert.deepEqual([count, agreement], [2, 2]);
  });

  it("reads no further case while one is examined", async () => {
    let read = 0;
    let examined = 0;
    async function* cases() {
      for (; read < 50; read++) yield good(`c${read}::accepts`);
    }
    await runCases({
      cases: cases(),
      only: [],
      onCase: () => undefined,
      examine: async () => {
        assert.equal(read, examined++);
        return { kind: "accepted" };
      },
    });
    assert.equal(examined, 50);
  });

  it("fails where its process does not start", async (t) => {
    const program = fileURLToPath(new URL("../support/no-such-program.ts", import.meta.url));
    await assert.rejects(run(t, [good("a::accepts")], { program }), /does not start/);
  });
});

describe("the report", () => {
  it("says what a person looks for", async (t) => {
    const result = await run(t, [
      good("a::accepts"),
      bad("b::accepts", { features: ["pedantic"], conflicts_with: ["x::y"] }),
      good("b::rejects"),
      good("a::passes"),
      bad("a::exits"),
      bad("a::contains"),
    ]);
    const text = textOf(result);
    for (const line of [
      /^cases +6$/m,
      /^agreement +2 of 4 compared \(50\.0 %\)$/m,
      /^false accepts +1$/m,
      /^ {2}b::accepts \[optional: pedantic; conflicts with x::y\]\n {6}What b::accepts shows\.$/m,
      /^ {2}b::rejects\n {6}CHAIN_UNTRUSTED: not trusted\n {6}What b::rejects shows\.$/m,
      /^ +1 {2}no setting$/m,
      /^ {2}a::contains\n {6}HANDSHAKE_CRASHED: it ended$/m,
      /^ {2}a::exits\n {6}ended with 7$/m,
    ]) {
      assert.match(text, line);
    }
  });

  it("leaves out what there is none of", async (t) => {
    const text = textOf(await run(t, []));
    assert.match(text, /^agreement +0 of 0 compared$/m);
    assert.doesNotMatch(text, /\n\n/);
  });
});

describe("the command line", () => {
  it("takes a file, patterns and how to report", () => {
    assert.deepEqual(
      optionsOf(["f.json", "--only", "a::*", "--only=b", "--json", "--strict", "--deadline=500"]),
      {
        file: "f.json",
        only: ["a::*", "b"],
        json: true,
        strict: true,
        deadlineMs: 500,
      },
    );
    assert.deepEqual(optionsOf(["f.json"]), {
      file: "f.json",
      only: [],
      json: false,
      strict: false,
      deadlineMs: 60_000,
    });
  });

  for (const argv of [[], ["a", "b"], ["a", "--what"], ["a", "--deadline=soon"], ["a", "--deadline=0.5"]]) {
    it(`refuses ${JSON.stringify(argv)}`, () => {
      assert.throws(() => optionsOf(argv));
    });
  }
});

async function run(
  t: TestContext,
  cases: readonly object[],
  { only = [] as readonly string[], deadlineMs = DEADLINE_MS, program = FAKE } = {},
): Promise<Result> {
  const examiner = createExaminer({ deadlineMs, program });
  t.after(() => examiner.close());
  async function* given() {
    yield* cases;
  }
  const { examine } = examiner;
  return (await runCases({ cases: given(), examine, only, onCase: () => undefined })).result();
}
