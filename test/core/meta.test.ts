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

  for (const [what, text] of [
    ["nested a hundred thousand deep", `{"labels": ${"[".repeat(100_000)}${"]".repeat(100_000)}}`],
    ["objects nested as deep", `${'{"labels":'.repeat(100_000)}1${"}".repeat(100_000)}`],
    ["left open as deep", "[".repeat(1_000_000)],
    ["of 10,000 labels", JSON.stringify({ labels: Object.fromEntries(manyLabels(10_000)) })],
    ["of a label name of a megabyte", JSON.stringify({ labels: { ["x".repeat(1_000_000)]: "x" } })],
    [
      "of a label name of control characters",
      JSON.stringify({ labels: { ["\u0007".repeat(100_000)]: "x" } }),
    ],
    ["of a label of a megabyte", JSON.stringify({ labels: { a: "x".repeat(1_000_000) } })],
    ["a megabyte of text", "x".repeat(1_000_000)],
    ["of a text that is left open", `{"labels": {"a": "${"x".repeat(1_000_000)}`],
    ["of labels of __proto__", '{"labels": {"__proto__": {"a": "b"}}}'],
  ] as const) {
    it(`is not used, and is not quoted at length, where it is ${what}`, () => {
      const { labels, problem } = readMeta(entryOf("/certs/demo/meta.json", text));
      assert.deepEqual([labels, problem?.code], [{}, "META_INVALID"]);
      assert.ok((problem?.message.length ?? 0) < 400, problem?.message.slice(0, 500));
    });
  }

  it("has no labels by way of __proto__", () => {
    const { labels } = readMeta(entryOf("/certs/demo/meta.json", '{"__proto__": {"labels": {"a": "b"}}}'));
    assert.deepEqual(labels, {});
  });

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

function manyLabels(count: number): [string, string][] {
  return Array.from({ length: count }, (_, at) => [`label_${at}`, "x"]);
}

function read(json: unknown) {
  return readMeta(entryOf("/certs/demo/meta.json", JSON.stringify(json)));
}
