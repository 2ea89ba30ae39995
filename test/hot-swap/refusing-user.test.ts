import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { useSource, useTurningBundle } from "../support/turning-bundle.ts";

describe("a user that refuses a generation", () => {
  it("keeps every user at the one before, and is told of once, however often it is tried", async (t) => {
    const bundle = await useTurningBundle(t);
    const first = await bundle.turn();
    const source = await useSource(t, bundle.dir);
    const refused: string[] = [];
    source.on("refused", ({ code, message }) => refused.push(`${code}: ${message}`));
    const taken: string[] = [];
    source.use({
      prepare:
        ({ generation }) =>
        () =>
          taken.push(generation),
    });
    source.use({
      prepare: ({ leaf }) => {
        if (!leaf?.dnsNames.includes("inference.local")) throw new Error("it is not for us");
        return () => undefined;
      },
    });

    await bundle.turn({ names: ["elsewhere.local"] });
    await assert.rejects(source.reload(), { code: "GENERATION_REFUSED" });
    await assert.rejects(source.reload(), { code: "GENERATION_REFUSED" });

    assert.deepEqual(refused, [`GENERATION_REFUSED: ${bundle.dir}: it is not for us`]);
    assert.deepEqual(taken, [first.generation.id]);
    assert.equal(source.current.generation, first.generation.id);

    const third = await bundle.turn();
    await source.reload();

    assert.deepEqual(taken, [first.generation.id, third.generation.id]);
  });
});
