/** The command line: one is run, and what went wrong is said. */
import { CommanderError } from "commander";
import { KeyturnError, messageOf } from "../core/errors.ts";
import { visible } from "../core/words.ts";
import { createProgram } from "./commands.ts";
import { printError } from "./print.ts";

/** 0: done. 1: the answer is no, or it failed. 2: the command line or the configuration is wrong. */
export type ExitCode = number;

/** Runs one command line, without the name of the program. */
export async function main(argv: readonly string[]): Promise<ExitCode> {
  let exitCode: ExitCode = 0;
  const program = createProgram((code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(argv, { from: "user" });
    return exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
    return explain(thrown);
  }
}

function explain(thrown: unknown): ExitCode {
  if (!(thrown instanceof KeyturnError)) {
    printError(`keyturn: ${thrown instanceof Error ? thrown.stack : messageOf(thrown)}`);
    return 1;
  }
  // What servers and files say is part of it.
  const lines = thrown.message.split("\n").map(visible);
  printError(`keyturn: ${thrown.code}: ${lines.join("\n  ")}`);
  return thrown.code === "USAGE" || thrown.code === "CONFIG_INVALID" ? 2 : 1;
}
