/** The frame of a program that measures or injects: its command line, what it started, its faults, its exit code. */
import { once } from "node:events";
import { messageOf } from "../../src/core/errors.ts";
import { CloseStack } from "../../src/runtime/close-stack.ts";

/** A program. */
export interface Program<Options> {
  /** Stands before each line it says. */
  readonly name: string;
  readonly usage: string;
  /** Reads the command line; throws where it makes no sense. */
  readonly optionsOf: (argv: readonly string[]) => Options;
  /** Does it, and gives what must not be, in words. What it starts is pushed on `closes`. */
  readonly run: (options: Options, closes: CloseStack) => Promise<readonly string[]>;
}

/** Says something beside the result, which is on standard output. */
export function sayAs(name: string): (text: string) => void {
  return (text) => process.stderr.write(`${name}: ${text}\n`);
}

/** Runs it to its end and ends the process: 0 where all was well, 1 where it found faults, 2 for a wrong command line. */
export async function runProgram<Options>(program: Program<Options>): Promise<never> {
  const say = sayAs(program.name);
  const options = readOptions(program, say);
  process.exit(options === undefined ? 2 : await runToEnd(program, options, say));
}

function readOptions<Options>(
  { usage, optionsOf }: Program<Options>,
  say: (text: string) => void,
): Options | undefined {
  try {
    return optionsOf(process.argv.slice(2));
  } catch (thrown) {
    say(`${messageOf(thrown)}\nusage: ${usage}`);
    return undefined;
  }
}

async function runToEnd<Options>(
  { run }: Program<Options>,
  options: Options,
  say: (text: string) => void,
): Promise<number> {
  const closes = new CloseStack();
  const interrupted = Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
  try {
    const done = run(options, closes).catch((thrown) => [messageOf(thrown)]);
    const faults = await Promise.race([done, interrupted.then(() => ["interrupted"])]);
    for (const fault of faults) say(`FAULT: ${fault}`);
    return faults.length === 0 ? 0 : 1;
  } finally {
    await closes.close();
  }
}
