/** The man page as readers get it: set by groff without a warning. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { promisify } from "node:util";
import { createProgram } from "../../../src/cli/commands.ts";
import { manPage } from "../../../src/cli/man-page.ts";
import { shapeOf } from "../../../src/cli/shape.ts";
import { useFolder } from "../../support/folder.ts";
import { shellProgram } from "../../support/shells.ts";

const run = promisify(execFile);
const program = createProgram(() => undefined);

async function set(t: TestContext, page: string) {
  const file = join(await useFolder(t), "keyturn.1");
  await writeFile(file, page);
  const { program: groff, env } = shellProgram("groff");
  return run(groff, ["-man", "-Tutf8", "-ww", "-P-cbou", file], { env });
}

describe("the man page", () => {
  it("is set without a warning, and says what every command is", async (t) => {
    const { stdout, stderr } = await set(t, manPage(program, "1.2.3"));
    assert.equal(stderr, "");
    const text = stdout.replace(/\s+/g, " ");
    for (const { name, description } of shapeOf(program)) {
      assert.ok(text.includes(`keyturn ${name}`), name);
      assert.ok(text.includes(description.slice(1)), description);
    }
    for (const line of stdout.split("\n")) assert.ok(line.length <= 80, line);
  });

  it("would be warned of, were there a mistake in it", async (t) => {
    const { stderr } = await set(t, `${manPage(program, "1.2.3")}.nosuch\n`);
    assert.match(stderr, /nosuch/);
  });
});
