/** RELIABILITY.md names tests that are there. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const page = readFileSync(`${root}RELIABILITY.md`, "utf8");

describe("RELIABILITY.md", () => {
  it("names no test that is not there", () => {
    const named = [...new Set(page.match(/test\/[\w./-]+\.test\.ts/g))];

    assert.ok(named.length > 20, "the page names its tests by their paths");
    assert.deepEqual(
      named.filter((path) => !existsSync(root + path)),
      [],
    );
  });
});
