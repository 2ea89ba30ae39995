/** What commands write: facts to standard output, what went wrong to standard error. */

/** One line, or several, to standard output. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** One line, or several, to standard error. */
export function printError(text: string): void {
  process.stderr.write(`${text}\n`);
}
