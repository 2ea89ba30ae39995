/** What a process said before it ended, as far as it may be passed on: one line, and never anything like a key. */

const MAX_LENGTH = 200;
/** The line that names the fault: of an exception, of V8 or of Node itself. */
const FAULT = /^(?:\S*Error\b.*|FATAL ERROR.*|.*assertion.*failed.*)$/im;
/** PEM, or what may be the inside of it. */
const KEY_MATERIAL = /-----|[A-Za-z0-9+/=]{48,}/;

/** The line of an error output that says why; null where there is none, or none that is fit to be shown. */
export function lastWords(errorOutput: string): string | null {
  const line = FAULT.exec(errorOutput)?.[0].trim();
  return line === undefined || KEY_MATERIAL.test(line) ? null : line.slice(0, MAX_LENGTH);
}
