/** The child ends or hangs in the middle of a handshake: one retry, alone, and then an answer with a code of its own. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { systemClock } from "../../src/runtime/clock.ts";
import { hurriedClock } from "../support/hurried-clock.ts";
import { until } from "../support/wait.ts";
import { candidateOf, presentedBy } from "./candidate.ts";
import { busyChild, childrenOf, heavy, NEVER, onlyChild, rssOf, useHandshakes } from "./children.ts";
import { lookOf, useTalker } from "./servers.ts";

const GOOD = candidateOf(presentedBy({}));
/** Long enough for a good candidate on a busy machine. */
const SOON = { deadlineMs: 3_000 };
const PATIENT = { deadlineMs: 120_000 };

describe("a child that is ended by SIGSEGV in the middle of a proof", () => {
  it("costs one retry", async (t) => {
    const { prove, losses } = useHandshakes(t, PATIENT);
    const { child, idleBytes } = await readyChild(prove);
    const proof = prove(candidateOf(heavy(), "server"), NEVER);
    process.kill(await busyChild(idleBytes), "SIGSEGV");
    assert.deepEqual(await proof, []);
    assert.deepEqual(losses, ["it was ended by SIGSEGV"]);
    assert.deepEqual(await prove(GOOD, NEVER), []);
    assert.ok(!childrenOf().includes(child));
  });

  it("twice is a refusal of that candidate, and the next one is proven", async (t) => {
    const { prove, losses } = useHandshakes(t, PATIENT);
    const { idleBytes } = await readyChild(prove);
    const proof = prove(candidateOf(heavy(), "server"), NEVER);
    const first = await busyChild(idleBytes);
    process.kill(first, "SIGSEGV");
    process.kill(await busyChild(idleBytes, [first]), "SIGSEGV");
    const [problem, ...others] = await proof;
    assert.equal(problem?.code, "HANDSHAKE_CRASHED");
    assert.match(problem?.message ?? "", /twice .*SIGSEGV/);
    assert.deepEqual([others.length, losses.length], [0, 2]);
    assert.deepEqual(await prove(GOOD, NEVER), []);
  });
});

describe("a child that hangs", () => {
  it("is replaced, and the proof is tried once more", async (t) => {
    const { prove, losses } = useHandshakes(t, SOON);
    const { child } = await readyChild(prove);
    process.kill(child, "SIGSTOP");
    assert.deepEqual(await prove(GOOD, NEVER), []);
    assert.deepEqual(losses, ["it did not answer within 3000 ms"]);
    assert.ok(!childrenOf().includes(child));
  });

  it("twice is a refusal of that candidate, and the next one is proven", async (t) => {
    const { prove } = useHandshakes(t, SOON);
    const { child, idleBytes } = await readyChild(prove);
    process.kill(child, "SIGSTOP");
    const proof = prove(candidateOf(heavy(), "server"), NEVER);
    process.kill(await busyChild(idleBytes, [child]), "SIGSTOP");
    const problems = await proof;
    assert.deepEqual(
      problems.map(({ code }) => code),
      ["HANDSHAKE_TIMEOUT"],
    );
    assert.deepEqual(await prove(GOOD, NEVER), []);
  });

  it("is replaced for looks too", async (t) => {
    const { prove, lookAt, losses } = useHandshakes(t, SOON);
    const { child } = await readyChild(prove);
    process.kill(child, "SIGSTOP");
    const sight = await lookAt(lookOf(await useTalker(t, () => undefined), { timeoutMs: 100 }), NEVER);
    assert.deepEqual([sight.kind, "reason" in sight && sight.reason], ["failed", "timeout"]);
    assert.match("message" in sight ? sight.message : "", /nothing within 100 ms/);
    assert.deepEqual(losses, ["it did not answer within 3100 ms"]);
  });

  it("does not hold up this process", async (t) => {
    const { prove } = useHandshakes(t, SOON);
    const { child } = await readyChild(prove);
    process.kill(child, "SIGSTOP");
    let isOver = false;
    const proof = prove(GOOD, NEVER).finally(() => {
      isOver = true;
    });
    let turns = 0;
    while (!isOver) {
      await systemClock.sleep(1, NEVER);
      turns++;
    }
    await proof;
    assert.ok(turns > 100, `${turns} turns`);
  });
});

describe("what is asked beside that which ends the child", () => {
  it("is answered, and not blamed", async (t) => {
    const { prove, lookAt, losses } = useHandshakes(t, PATIENT);
    await readyChild(prove);
    // Whoever looks at this service is ended.
    const deadly = await useTalker(t, () => {
      for (const pid of childrenOf()) process.kill(pid, "SIGSEGV");
    });
    const silence = await useTalker(t, () => undefined);
    const answers = await Promise.all([
      ...[1, 2, 3].map(() => lookAt(lookOf(silence, { timeoutMs: 1_000 }), NEVER)),
      lookAt(lookOf(deadly, { timeoutMs: 60_000 }), NEVER),
      ...[1, 2, 3].map(() => lookAt(lookOf(silence, { timeoutMs: 1_000 }), NEVER)),
    ]);
    const seen = answers.map((sight) => ("reason" in sight ? sight.reason : sight.kind));
    assert.deepEqual(seen, ["timeout", "timeout", "timeout", "protocol", "timeout", "timeout", "timeout"]);
    assert.match(
      answers.map((sight) => ("message" in sight ? sight.message : ""))[3] ?? "",
      /ended the process.* twice/,
    );
    assert.ok(losses.length >= 2);
    assert.deepEqual(await prove(GOOD, NEVER), []);
  });

  it("is answered where many proofs were under way when it ended", async (t) => {
    const { prove, losses } = useHandshakes(t, PATIENT);
    const { child } = await readyChild(prove);
    process.kill(child, "SIGSTOP");
    const wrong = candidateOf(presentedBy({ leaf: { from: -20, until: -10 } }));
    const proofs = Array.from({ length: 20 }, (_, n) => prove(n % 2 === 0 ? GOOD : wrong, NEVER));
    process.kill(child, "SIGSEGV");
    process.kill(child, "SIGCONT");
    const codes = (await Promise.all(proofs)).map(([problem]) => problem?.code);
    assert.deepEqual(
      codes,
      Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? undefined : "CERTIFICATE_EXPIRED")),
    );
    assert.deepEqual(losses, ["it was ended by SIGSEGV"]);
  });
});

describe("a child that ends while it has nothing to do", () => {
  it("is replaced before it is needed", async (t) => {
    const { prove, losses } = useHandshakes(t);
    const { child } = await readyChild(prove);
    process.kill(child, "SIGKILL");
    await onlyChild([child]);
    assert.deepEqual(await prove(GOOD, NEVER), []);
    assert.deepEqual(losses, ["it was ended by SIGKILL"]);
  });
});

describe("a child that does not start", () => {
  it("is tried some times, and then the check is said to have failed; later ones start again", async (t) => {
    // The waits between starts are long on purpose.
    const { prove, lookAt, losses } = useHandshakes(t, { ...PATIENT, clock: hurriedClock(5) });
    const { child } = await readyChild(prove);
    const { NODE_OPTIONS } = process.env;
    t.after(() => restore(NODE_OPTIONS));
    process.env.NODE_OPTIONS = "--no-such-option";
    process.kill(child, "SIGKILL");
    await until("the child is gone", () => losses.length > 0);
    const [problem] = await prove(GOOD, NEVER);
    assert.equal(problem?.code, "CHECK_FAILED");
    assert.match(problem?.message ?? "", /does not start .*code 9/);
    const sight = await lookAt(lookOf(1, { timeoutMs: 1_000 }), NEVER);
    assert.equal("reason" in sight && sight.reason, "timeout");
    restore(NODE_OPTIONS);
    assert.deepEqual(await prove(GOOD, NEVER), []);
  });
});

/** The child, once it has nothing to do and has done something. */
async function readyChild(prove: ReturnType<typeof useHandshakes>["prove"]) {
  assert.deepEqual(await prove(GOOD, NEVER), []);
  const child = await onlyChild();
  return { child, idleBytes: rssOf(child) };
}

function restore(options: string | undefined): void {
  if (options === undefined) delete process.env.NODE_OPTIONS;
  else process.env.NODE_OPTIONS = options;
}
