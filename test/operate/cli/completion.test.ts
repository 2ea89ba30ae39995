/** Completion in a real zsh and a real fish; that in bash is in test/cli. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createProgram } from "../../../src/cli/commands.ts";
import { completionOf } from "../../../src/cli/completion.ts";
import { shapeOf } from "../../../src/cli/shape.ts";
import { historyOf, useFalseAdmin } from "../../support/false-admin.ts";
import { useFolder } from "../../support/folder.ts";
import { useKeyturnOnPath } from "../../support/keyturn-on-path.ts";
import type { Scope } from "../../support/scope.ts";
import { shellProgram } from "../../support/shells.ts";

const run = promisify(execFile);
const program = createProgram(() => undefined);
const PRESS_TAB = fileURLToPath(new URL("press-tab.zsh", import.meta.url));
/** What is typed, and what it becomes. */
const LINES = [
  ["keyturn st", "keyturn status "],
  ["keyturn --ver", "keyturn --version "],
  ["keyturn status --j", "keyturn status --json "],
  ["keyturn status inf", "keyturn status inference "],
  ["keyturn status inference emb", "keyturn status inference embeddings "],
  ["keyturn history inference emb", "keyturn history inference emb"],
  ["keyturn rollback inference --to 000002", "keyturn rollback inference --to 000002-4567ef01 "],
  [
    "keyturn rollback --config keyturn.yaml inference --to 000001",
    "keyturn rollback --config keyturn.yaml inference --to 000001-0123abcd ",
  ],
  ["keyturn rollback embeddings --to 000002", "keyturn rollback embeddings --to 000002"],
  ["keyturn rollback '$(touch run)' --to 000002", "keyturn rollback '$(touch run)' --to 000002"],
  ["keyturn inspect --name emb", "keyturn inspect --name embeddings "],
  ["keyturn put inference tl", "keyturn put inference tls.crt "],
  ["keyturn put inference --cert tl", "keyturn put inference --cert tls.crt "],
  ["keyturn run --output-dir o", "keyturn run --output-dir output/"],
  ["keyturn run --log-format te", "keyturn run --log-format text "],
  ["keyturn completion z", "keyturn completion zsh "],
  ["keyturn help st", "keyturn help status "],
] as const;

describe("completion", () => {
  const ends: (() => void | Promise<void>)[] = [];
  const scope: Scope = { after: (end) => void ends.unshift(end) };
  let cwd = "";
  let path = "";
  before(async () => {
    cwd = await useFolder(scope);
    path = [await useKeyturnOnPath(scope), process.env.PATH].join(delimiter);
    await writeFile(join(cwd, "_keyturn"), `${completionOf("zsh", program)}\n`);
    await writeFile(join(cwd, "keyturn.fish"), `${completionOf("fish", program)}\n`);
    await mkdir(join(cwd, "output", "inference"), { recursive: true });
    await mkdir(join(cwd, "output", "embeddings"));
    await writeFile(join(cwd, "tls.crt"), "");
    const generations = ["000001-0123abcd", "000002-4567ef01", "000002-$(touch run)", "000003-89ab2345"];
    const port = await useFalseAdmin(scope, { "/bundles/inference/history": historyOf(generations) });
    await writeFile(
      join(cwd, "keyturn.yaml"),
      `output: {dir: output}\nadmin: {listen: "127.0.0.1:${port}"}\n`,
    );
  });
  after(async () => {
    for (const end of ends) await end();
  });
  const runIn = (program: string, args: readonly string[], env: NodeJS.ProcessEnv) =>
    run(program, args, { cwd, timeout: 60_000, env: { ...env, PATH: path, HOME: cwd, TERM: "xterm" } });

  it("finishes what is typed in zsh", async () => {
    const { program: zsh, env, root } = shellProgram("zsh");
    const typed = LINES.map(([line]) => line);
    const { stdout } = await runIn(zsh, ["-f", PRESS_TAB, root, ...typed], env);
    assert.deepEqual(
      stdout.split("\n").slice(0, -1),
      LINES.map(([, line]) => line),
    );
    assert.ok(!(await readdir(cwd)).includes("run"));
  });

  it("offers the same in fish", async () => {
    const offers = await fish(LINES.map(([line]) => line));
    for (const [typed, becomes] of LINES) {
      const word = becomes.slice(typed.lastIndexOf(" ") + 1).trim();
      assert.deepEqual(offers.get(typed), typed === becomes ? [] : [word], typed);
    }
    assert.ok(!(await readdir(cwd)).includes("run"));
  });

  it("knows every flag that the help of a command names, in fish", async () => {
    const commands = shapeOf(program);
    const offers = await fish(commands.map(({ name }) => `keyturn ${name} --`));
    for (const { name, options } of commands) {
      const flags = options.filter(({ isHidden }) => !isHidden).map(({ long }) => long);
      assert.deepEqual(offers.get(`keyturn ${name} --`)?.sort(), flags.sort(), name);
    }
  });

  /** What is offered for each line. */
  async function fish(lines: readonly string[]): Promise<Map<string, string[]>> {
    const { program: fish, env, root } = shellProgram("fish");
    const script = [
      ...(root === "/" ? [] : [`set fish_function_path ${root}/usr/share/fish/functions`]),
      "source keyturn.fish",
      "for line in $argv; echo == $line; complete -C $line; end",
    ].join("\n");
    const { stdout } = await runIn(fish, ["--no-config", "-c", script, ...lines], env);
    const blocks = stdout.split(/^== /m).slice(1);
    return new Map(
      blocks.map((block) => {
        const [line = "", ...offers] = block.split("\n");
        return [line, offers.filter((offer) => offer !== "").map((offer) => offer.split("\t")[0] ?? "")];
      }),
    );
  }
});
