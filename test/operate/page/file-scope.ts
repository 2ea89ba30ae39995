/** What lasts for all tests of a file, where each would spend most of its time on starting it. */
import { after } from "node:test";
import type { Scope } from "../../support/scope.ts";

/** Ends what was started when the last test of the file is over, in reverse. */
export function scopeOfFile(): Scope {
  const ends: (() => void | Promise<void>)[] = [];
  after(async () => {
    for (const end of ends) await end();
  });
  return { after: (end) => void ends.unshift(end) };
}
