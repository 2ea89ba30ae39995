import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { withPart } from "./bench/book.ts";

describe("the page of benchmarks", () => {
  it("keeps the part of the other program, in one order whoever wrote first", () => {
    const first = withPart(
      withPart("", "npm run bench:tls", "old\n"),
      "npm run bench",
      "## Daemon\n\ntext\n",
    );
    const second = withPart(first, "npm run bench:tls", "## Service\n\n| a |\n| --- |\n");

    const daemon = "<!-- npm run bench -->\n\n## Daemon\n\ntext\n\n";
    const service = "<!-- npm run bench:tls -->\n\n## Service\n\n| a |\n| --- |\n";
    assert.equal(second, `# Benchmarks\n\n${daemon}${service}`);
  });
});
