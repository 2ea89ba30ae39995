import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { CloseStack } from "../../src/runtime/close-stack.ts";

describe("a close stack", () => {
  it("closes what was opened last first, one after another", async () => {
    const { stack, closed } = stackOf("a", "b", "c");

    await stack.close();

    assert.deepEqual(closed, ["c begins", "c", "b begins", "b", "a begins", "a"]);
  });

  it("closes the rest where one fails, and throws every failure", async () => {
    const closed: string[] = [];
    const stack = new CloseStack();
    stack.push(() => void closed.push("a"));
    stack.push(() => Promise.reject(new Error("b")));
    stack.push(() => {
      throw new Error("c");
    });

    const failure = await stack.close().catch((thrown: unknown) => thrown);

    assert.deepEqual(closed, ["a"]);
    assert.ok(failure instanceof AggregateError);
    assert.deepEqual(
      failure.errors.map(({ message }) => message),
      ["c", "b"],
    );
  });

  it("closes nothing a second time", async () => {
    const { stack, closed } = stackOf("a");
    await stack.close();

    await stack.close();

    assert.deepEqual(closed, ["a begins", "a"]);
  });

  it("keeps the order where it is closed again while it closes, and both wait for all", async () => {
    const { stack, closed } = stackOf("a", "b", "c");
    const first = stack.close();

    await stack.close();

    assert.deepEqual(closed, ["c begins", "c", "b begins", "b", "a begins", "a"]);
    await first;
  });

  it("closes what is pushed while it closes", async () => {
    const closed: string[] = [];
    const stack = new CloseStack();
    stack.push(() => void stack.push(() => void closed.push("late")));

    await stack.close();

    assert.deepEqual(closed, ["late"]);
  });

  it("is closed by its async dispose", async () => {
    const { stack, closed } = stackOf("a");

    await stack[Symbol.asyncDispose]();

    assert.deepEqual(closed, ["a begins", "a"]);
  });
});

function stackOf(...names: string[]): { stack: CloseStack; closed: string[] } {
  const stack = new CloseStack();
  const closed: string[] = [];
  for (const name of names) {
    stack.push(async () => {
      closed.push(`${name} begins`);
      await turn();
      closed.push(name);
    });
  }
  return { stack, closed };
}
