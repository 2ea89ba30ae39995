/** `--help` and the man page say everything there is, and fit. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Command } from "commander";
import { createProgram } from "../../src/cli/commands.ts";
import { manPage } from "../../src/cli/man-page.ts";
import { COMMANDS } from "../../src/cli/manual.ts";
import { optionsOf, shapeOf } from "../../src/cli/shape.ts";
import { OVERRIDES } from "../../src/config/overrides.ts";
import { runKeyturn } from "../support/daemon.ts";

const program = createProgram(() => undefined);
const commands = shapeOf(program);

describe("--help", () => {
  for (const name of [null, ...commands.map(({ name }) => name)]) {
    it(`fits 80 columns: keyturn ${name ?? ""} --help`, () => {
      const asked = name === null ? program : program.commands.find((command) => command.name() === name);
      const text = asked === undefined ? "" : helpOf(asked);
      // `help` itself is no command of its own.
      if (name !== "help") assert.match(text, /^Usage: keyturn.*\n[\s\S]*--help/);
      const tooLong = text.split("\n").filter((line) => line.length > 80);
      assert.deepEqual(tooLong, []);
    });
  }

  it("ends with examples, and says where settings come from", async () => {
    const { code, stdout, stderr } = await runKeyturn(["status", "--help"]);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(
      stdout,
      /--etcd-prefix is KEYTURN_ETCD_PREFIX[\s\S]*Examples:\n {2}# one bundle in detail\n/,
    );
  });

  it("has a page of the manual for every command, and no other", () => {
    const names = commands.map(({ name }) => name).filter((name) => name !== "help");
    assert.deepEqual(Object.keys(COMMANDS).sort(), names.sort());
  });
});

describe("the man page", () => {
  const page = manPage(program, "1.2.3");
  const plain = page.replaceAll(/\\f[BIR]/g, "").replaceAll("\\-", "-");

  it("has every command, every option, every argument, and every setting with its variable", () => {
    for (const { name, description, options, args } of commands) {
      assert.ok(plain.includes(`.SS "keyturn ${name}`), name);
      assert.ok(plain.includes(description.slice(1, 20)), description);
      for (const { long } of options) assert.match(plain, new RegExp(`^(?:-\\w, )?${long}\\b`, "m"), long);
      for (const { placeholder } of args)
        assert.ok(plain.includes(placeholder.replace(/[<>]/g, "")), placeholder);
    }
    for (const { long } of optionsOf(program)) assert.ok(plain.includes(long), long);
    for (const { flag, variable } of OVERRIDES) {
      assert.ok(plain.includes(`\n${flag} value\n`) && plain.includes(`(or ${variable})`), flag);
    }
  });

  it("has nothing that roff would obey but its own requests, and nothing but ASCII", () => {
    for (const line of page.split("\n")) {
      assert.match(line, /^[\x20-\x7e]*$/);
      if (/^[.']/.test(line)) assert.match(line, /^\.(?:\\"|(?:TH|SH|SS|TP|PP|RS|RE|nf|fi|br|nh|ad)\b)/);
    }
  });
});

/** All of it, with what stands after the options. */
function helpOf(command: Command): string {
  let text = "";
  command.configureOutput({
    getOutHelpWidth: () => 80,
    writeOut: (more) => {
      text += more;
    },
  });
  command.outputHelp();
  return text;
}
