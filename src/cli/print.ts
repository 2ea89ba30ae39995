/** What commands write: facts to standard output, what went wrong to standard error. */

import { visibleJson } from "../core/words.ts";

/** One line, or several, to standard output. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Facts as JSON, to standard output: for programs, and for whoever looks at it on a terminal. */
export function printJson(facts: unknown): void {
  print(visibleJson(JSON.stringify(facts, null, 2)));
}

/** One line, or several, to standard error. */
export function printError(text: string): void {
  process.stderr.write(`${text}\n`);
}
