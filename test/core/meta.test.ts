import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { readMeta } from "../../src/core/meta.ts";
import { entryOf } from "../support/material.ts";

describe("meta.json", () => {
  it("gives labels", () => {
    assert.deepEqual(read({ labels: { model_version: "llama-3.1", inference_type: "chat" } }), {
      labels: { model_version: "llama-3.1", inference_type: "chat" },
      problem: null,
    });
  });

  it("may have further settings, which are for others", () => {
    assert.deepEqual(read({ owner: "ml", labels: { a: "b" } }), { labels: { a: "b" }, problem: null });
  });

  it("may have no labels", () => {
    assert.deepEqual(read({}), { labels: {}, problem: null });
  });

  it("may be missing", () => {
    assert.deepEqual(readMeta(undefined), { labels: {}, problem: null });
  });

  it("may have eight labels of 128 characters", () => {
    const labels = Object.fromEntries([..."abcdefgh"].map((name) => [name, "x".repeat(128)]));
    assert.deepEqual(read({ labels }), { labels, problem: null });
  });

  for (const [what, json] of [
    ["is no object", ["labels"]],
    ["is null", null],
    ["has labels that are a list", { labels: ["a"] }],
    ["has labels that are text", { labels: "a" }],
    ["has nine labels", { labels: Object.fromEntries([..."abcdefghi"].map((name) => [name, "x"])) }],
    ["has a label that is a number", { labels: { a: 1 } }],
    ["has a label that is null", { labels: { a: null } }],
    ["has a label of 129 characters", { labels: { a: "x".repeat(129) } }],
    ["has a label name of 41 characters", { labels: { [`a${"b".repeat(40)}`]: "x" } }],
    ["has a label name in upper case", { labels: { Model: "x" } }],
    ["has a label name with a dash", { labels: { "model-version": "x" } }],
    ["has a label name that begins with __", { labels: { __name__: "x" } }],
    ["has the label name that is empty", { labels: { "": "x" } }],
    ["takes the label bundle", { labels: { bundle: "x" } }],
    ["takes the label digest", { labels: { digest: "x" } }],
    ["takes the label generation", { labels: { generation: "x" } }],
    ["takes the label job", { labels: { job: "x" } }],
    ["takes the label instance", { labels: { instance: "x" } }],
  ] as const) {
    it(`is not used where it ${what}`, () => {
      const { labels, problem } = read(json);
      assert.deepEqual([labels, problem?.code], [{}, "META_INVALID"]);
    });
  }

  for (const text of ["", "{", '{"labels": {"__proto__": "x"}}', "\u0000", "labels: {}"]) {
    it(`is not used where it is ${JSON.stringify(text)}`, () => {
      assert.equal(readMeta(entryOf("/certs/demo/meta.json", text)).problem?.code, "META_INVALID");
    });
  }

  it("is not used where it is over 1 MiB", () => {
    const entry = entryOf("/certs/demo/meta.json", " ".repeat((1 << 20) + 1));
    assert.equal(
      readMeta(entry).problem?.message,
      "/certs/demo/meta.json is not used: it holds 1048577 bytes",
    );
  });

  it("never makes anything throw, and never half of it is used", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const { labels, problem } = readMeta(entryOf("/certs/demo/meta.json", `{"labels": ${text}}`));
        assert.ok(problem === null || Object.keys(labels).length === 0);
      }),
    );
  });
});

function read(json: unknown) {
  return readMeta(entryOf("/certs/demo/meta.json", JSON.stringify(json)));
}
