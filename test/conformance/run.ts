/** Puts the test cases of a file to an examiner, one after another. */
import { matchesAny } from "../../src/core/glob.ts";
import { readCase } from "./limbo-case.ts";
import { Tally } from "./tally.ts";
import type { Examine } from "./verdict.ts";

/** What to run. */
export interface Run {
  readonly cases: AsyncIterable<unknown>;
  readonly examine: Examine;
  /** Patterns of ids; all where there are none. */
  readonly only: readonly string[];
  /** Is told after each case how many there were. */
  readonly onCase: (count: number) => void;
}

/** Examines every case that is asked for. Only findings are kept of them. */
export async function runCases({ cases, examine, only, onCase }: Run): Promise<Tally> {
  const tally = new Tally();
  for await (const json of cases) {
    const id = idOf(json);
    if (only.length > 0 && !matchesAny(id, only)) continue;
    const testCase = readCase(json);
    if ("fault" in testCase) tally.addUnreadable(id, testCase.fault);
    else tally.add(testCase, await examine(json));
    onCase(tally.cases);
  }
  return tally;
}

function idOf(json: unknown): string {
  const { id } = (json ?? {}) as { readonly id?: unknown };
  return typeof id === "string" ? id : "(no id)";
}
