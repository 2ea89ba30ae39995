/** A shell in which the commands of a page are run one block after another, as its reader does. */
import { spawn } from "node:child_process";
import type { Scope } from "./scope.ts";
import { until } from "./wait.ts";

/** A bash that stays. */
export interface Shell {
  /**
   * Runs a block, and gives what it wrote to its outputs.
   *
   * @throws Error with the output where a command of it fails.
   */
  run(code: string): Promise<string>;
}

/** Where and as whom it runs. */
export interface ShellOptions {
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Words that run what follows them, such as `setpriv …`. */
  readonly through?: readonly string[];
}

/** How long a block may take: npm downloads packages in one. */
const DEADLINE_MS = 120_000;

/** Starts bash; it is ended, with everything it runs, when the test is over. */
export function useShell(t: Scope, { cwd, env = {}, through = [] }: ShellOptions): Shell {
  const [program = "bash", ...words] = [...through, "bash", "--noprofile", "--norc"];
  // Its own group, so that what it runs in the background ends with it.
  const child = spawn(program, words, { cwd, env: { ...process.env, ...env }, detached: true });
  t.after(() => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGKILL");
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk;
    });
  }
  let blocks = 0;
  return {
    run: async (code) => {
      output = "";
      const end = new RegExp(`^block ${++blocks} ended with (\\d+)\\n`, "m");
      // Commands that ask for input must not eat the next block; `&&` chains end as they do by hand.
      child.stdin.write(`set -e -o pipefail; trap 'echo "block ${blocks} ended with $?"' EXIT\n`);
      child.stdin.write(`${code}\necho "block ${blocks} ended with 0"\n`);
      const [, status] = await until(
        `bash has run:\n${code}`,
        () => {
          if (child.exitCode !== null && !end.test(output)) throw new Error(`bash ended: ${output}`);
          return end.exec(output) ?? undefined;
        },
        DEADLINE_MS,
      );
      if (status !== "0") throw new Error(`it ended with ${status}:\n${code}\n${output}`);
      return output.replace(end, "");
    },
  };
}
