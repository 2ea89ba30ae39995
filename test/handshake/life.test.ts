/** The life of the child, where nothing goes wrong: who waits for it, what ends it, and when another takes its place. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { useFolder } from "../support/folder.ts";
import { until } from "../support/wait.ts";
import { candidateOf, presentedBy } from "./candidate.ts";
import { childrenOf, isRunning, NEVER, onlyChild, useHandshakes } from "./children.ts";
import { lookOf, useTalker } from "./servers.ts";

const GOOD = candidateOf(presentedBy({}));
const SUPERVISOR = fileURLToPath(new URL("../../src/handshake/supervisor.ts", import.meta.url));
const CLOCK = fileURLToPath(new URL("../../src/runtime/clock.ts", import.meta.url));
const CANDIDATE = fileURLToPath(new URL("./candidate.ts", import.meta.url));
const CHECKOUT = fileURLToPath(new URL("../..", import.meta.url));

describe("what is asked of the child", () => {
  it("is answered side by side, each with its own answer", async (t) => {
    const { prove, losses } = useHandshakes(t);
    const wrong = candidateOf(presentedBy({ leaf: { uses: ["codeSigning"] } }));
    const proofs = Array.from({ length: 100 }, (_, n) => prove(n % 3 === 0 ? wrong : GOOD, NEVER));
    const codes = (await Promise.all(proofs)).map((problems) => problems.map(({ code }) => code).join());
    const expected = Array.from({ length: 100 }, (_, n) => (n % 3 === 0 ? "EXTENDED_KEY_USAGE_WRONG" : ""));
    assert.deepEqual(codes, expected);
    assert.deepEqual([childrenOf().length, losses], [1, []]);
  });

  it("rejects at once with the reason of the signal, and leaves the child alone", async (t) => {
    const { prove, losses } = useHandshakes(t, { deadlineMs: 60_000 });
    await prove(GOOD, NEVER);
    const child = await onlyChild();
    process.kill(child, "SIGSTOP");
    const stopping = new AbortController();
    const proof = prove(GOOD, stopping.signal);
    stopping.abort(new Error("newer content came"));
    await assert.rejects(proof, /newer content came/);
    await assert.rejects(prove(GOOD, stopping.signal), /newer content came/);
    process.kill(child, "SIGCONT");
    assert.deepEqual(await prove(GOOD, NEVER), []);
    assert.deepEqual([await onlyChild(), losses], [child, []]);
  });

  it("is proven while more looks wait for silent services than there may be at a time", async (t) => {
    const { prove, lookAt } = useHandshakes(t);
    const stopping = new AbortController();
    const port = await useTalker(t, () => undefined);
    const look = lookOf(port, { timeoutMs: 600_000 });
    const looks = Array.from({ length: 50 }, () => lookAt(look, stopping.signal));
    assert.deepEqual(await prove(GOOD, NEVER), []);
    stopping.abort(new Error("enough"));
    const ends = await Promise.allSettled(looks);
    assert.ok(ends.every((end) => end.status === "rejected" && end.reason === stopping.signal.reason));
  });
});

describe("after the end", () => {
  it("whatever is asked, or was not answered, rejects, and no process is left", async (t) => {
    const handshakes = useHandshakes(t, { deadlineMs: 60_000 });
    await handshakes.prove(GOOD, NEVER);
    process.kill(await onlyChild(), "SIGSTOP");
    const proof = assert.rejects(handshakes.prove(GOOD, NEVER), {
      code: "PROGRAM_FAILED",
      message: /was closed/,
    });
    await handshakes.close();
    await proof;
    await assert.rejects(handshakes.prove(GOOD, NEVER), { code: "PROGRAM_FAILED" });
    assert.deepEqual([childrenOf(), handshakes.losses], [[], []]);
  });

  it("comes at once too, before the child has started", async (t) => {
    const handshakes = useHandshakes(t);
    const proof = assert.rejects(handshakes.prove(GOOD, NEVER), { code: "PROGRAM_FAILED" });
    await handshakes.close();
    await proof;
    assert.deepEqual([childrenOf(), handshakes.losses], [[], []]);
  });

  it("may come twice", async (t) => {
    const handshakes = useHandshakes(t);
    await handshakes.close();
    await handshakes.close();
  });
});

describe("a child that is worn", () => {
  it("is replaced after so many answers, and nobody notices", async (t) => {
    const { prove, losses } = useHandshakes(t, { maxAnswers: 20 });
    const seen = new Set<number>();
    for (let n = 0; seen.size < 3; n++) {
      assert.ok(n < 2_000, "it is the same child after so many answers");
      assert.deepEqual(await prove(GOOD, NEVER), []);
      for (const pid of childrenOf()) seen.add(pid);
    }
    assert.deepEqual(losses, []);
    await onlyChild();
  });

  it("is replaced when it is too large, but not all the time", async (t) => {
    const { prove, losses } = useHandshakes(t, { maxRssBytes: 1 });
    await prove(GOOD, NEVER);
    const first = await onlyChild();
    for (let n = 0; n < 40; n++) await prove(GOOD, NEVER);
    assert.deepEqual(childrenOf(), [first]);
    for (let n = 0; n < 20; n++) await prove(GOOD, NEVER);
    await onlyChild([first]);
    assert.deepEqual(losses, []);
  });
});

describe("signals", () => {
  it("that come to a whole group of processes do not end the child before its parent", async (t) => {
    const { prove, losses } = useHandshakes(t);
    await prove(GOOD, NEVER);
    const child = await onlyChild();
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.kill(child, signal);
    assert.deepEqual(await prove(GOOD, NEVER), []);
    assert.deepEqual([await onlyChild(), losses], [child, []]);
  });
});

describe("a program that makes handshakes", () => {
  const start = [
    `import { startHandshakes } from ${JSON.stringify(SUPERVISOR)};`,
    `import { systemClock } from ${JSON.stringify(CLOCK)};`,
    "const { prove } = startHandshakes({ clock: systemClock, report: console.log });",
  ];
  const proveOne = [
    `const { candidateOf, presentedBy } = await import(${JSON.stringify(CANDIDATE)});`,
    "const problems = await prove(candidateOf(presentedBy({})), new AbortController().signal);",
    "console.log('proven', problems.length);",
  ];

  for (const [what, lines, expected] of [
    ["and asks for nothing", [], ""],
    ["and has its answer", proveOne, "proven 0\n"],
  ] as const) {
    it(`ends by itself where it does not close them, ${what}`, async (t) => {
      const program = join(await useFolder(t), "program.mts");
      await writeFile(program, [...start, ...lines].join("\n"));
      const child = spawn(process.execPath, ["--import", "tsx", program], { cwd: CHECKOUT });
      let output = "";
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
      const [code] = await once(child, "exit");
      assert.deepEqual([code, output], [0, expected]);
    });
  }

  it("takes its child along, however it ends", async (t) => {
    const program = join(await useFolder(t), "program.mts");
    await writeFile(program, [...start, ...proveOne, "setInterval(() => {}, 1_000);"].join("\n"));
    const child = spawn(process.execPath, ["--import", "tsx", program], { cwd: CHECKOUT });
    t.after(() => child.kill("SIGKILL"));
    await once(child.stdout, "data");
    const [grandchild = 0] = childrenOf(child.pid);
    assert.ok(isRunning(grandchild));
    child.kill("SIGKILL");
    await until("the child has gone", () => !isRunning(grandchild));
  });
});
