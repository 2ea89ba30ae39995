import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Turns } from "../../src/notify/turns.ts";

/** A task that ends when the test says so. */
function task(log: string[], name: string) {
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const run = async () => {
    log.push(`${name} begins`);
    await ended;
    log.push(`${name} ends`);
    return name;
  };
  return { run, end };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe("turns", () => {
  it("let one at a time through, in the order they came", async () => {
    const [turns, log] = [new Turns(), [] as string[]];
    const tasks = ["a", "b", "c"].map((name) => task(log, name));
    const taken = tasks.map(({ run }) => turns.take("socket", run));
    for (const { end } of [...tasks].reverse()) end();
    assert.deepEqual(await Promise.all(taken), ["a", "b", "c"]);
    assert.deepEqual(log, ["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"]);
  });

  it("of other keys do not wait for each other", async () => {
    const [turns, log] = [new Turns(), [] as string[]];
    const [a, b] = [task(log, "a"), task(log, "b")];
    const first = turns.take("one", a.run);
    b.end();
    await turns.take("other", b.run);
    a.end();
    await first;
    assert.deepEqual(log, ["a begins", "b begins", "b ends", "a ends"]);
  });

  it("go on after one that failed, and who took that one is told", async () => {
    const [turns, log] = [new Turns(), [] as string[]];
    const failure = new Error("no");
    const failed = turns.take("socket", () => Promise.reject(failure));
    const next = task(log, "next");
    next.end();
    const taken = turns.take("socket", next.run);
    await assert.rejects(failed, failure);
    assert.equal(await taken, "next");
  });

  it("are taken at once where nobody is before", async () => {
    const [turns, log] = [new Turns(), [] as string[]];
    const first = task(log, "first");
    first.end();
    await turns.take("socket", first.run);
    const second = task(log, "second");
    const taken = turns.take("socket", second.run);
    await settle();
    assert.equal(log.at(-1), "second begins");
    second.end();
    await taken;
  });
});
