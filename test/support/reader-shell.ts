/** Runs code blocks of the documentation in a shell, as a reader would: on a node of a test in place of theirs. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { symlink } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { useKeyturnOnPath } from "./keyturn-on-path.ts";
import type { Scope } from "./scope.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** Where the code runs. */
export interface ShellSettings {
  /** The working folder: where `keyturn.yaml` is. `deploy` of the repository is there too. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** What stands in the documentation, and what it is here. */
  readonly places: Readonly<Record<string, string>>;
}

/** What came of a block. */
export interface ShellRun {
  /** All that it printed. */
  readonly said: string;
  /** Commands that ended with another code than 0. */
  readonly failed: readonly { readonly code: number; readonly command: string }[];
}

const MARK = "did not end with 0:";

/** A shell that has `keyturn`, and the programs that were fetched for the tests. */
export async function useReaderShell(
  t: Scope,
  { folder, env, places }: ShellSettings,
): Promise<(code: string) => Promise<ShellRun>> {
  const bin = await useKeyturnOnPath(t);
  await symlink(join(ROOT, "deploy"), join(folder, "deploy"));
  const { KEYTURN_ETCD_BIN = "", KEYTURN_PROMETHEUS_BIN = "", PATH = "" } = process.env;
  const path = [bin, KEYTURN_ETCD_BIN, KEYTURN_PROMETHEUS_BIN, PATH].filter(Boolean).join(delimiter);
  return async (code) => {
    const here = Object.entries(places).reduce((text, [there, place]) => text.replaceAll(there, place), code);
    const script = `trap 'echo "${MARK} $? $BASH_COMMAND" >&2' ERR\n${here}`;
    const child = spawn("bash", ["-c", script], {
      cwd: folder,
      env: { ...process.env, ...env, PATH: path },
      stdio: ["ignore", "pipe", "pipe"],
    });
    t.after(() => void child.kill("SIGKILL"));
    let said = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk) => {
        said += chunk;
      });
    }
    await once(child, "close");
    const failed = said.split("\n").flatMap((line) => {
      const [, exit, command = ""] = new RegExp(`^${MARK} (\\d+) (.*)$`).exec(line) ?? [];
      return exit === undefined ? [] : [{ code: Number(exit), command }];
    });
    return { said, failed };
  };
}
