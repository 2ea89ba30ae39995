/**
 * Loaded into a daemon ahead of it: lets the process be killed before the n-th change that it makes below some folders,
 * or writes down what it changes. `KEYTURN_TEST_KILL` says which, and is read here and nowhere else.
 */
import { appendFileSync } from "node:fs";
import { sep } from "node:path";
import { beforeEachChange } from "./changes.ts";

/** What `KEYTURN_TEST_KILL` holds, as JSON. */
export interface KillOrder {
  readonly below: readonly string[];
  /** Changes that are let through; null for all. */
  readonly after: number | null;
  /** A file that gets a line of JSON for each change; null for none. */
  readonly record: string | null;
}

const { below, after, record } = JSON.parse(process.env.KEYTURN_TEST_KILL ?? "") as KillOrder;
// The daemon's own children are what they are without this.
delete process.env.NODE_OPTIONS;
const append = appendFileSync;
let changes = 0;
beforeEachChange((change) => {
  if (!below.some((folder) => change.path === folder || change.path.startsWith(folder + sep))) return;
  if (record !== null) append(record, `${JSON.stringify(change)}\n`);
  // Nothing of this process runs after this line.
  if (changes++ === after) process.kill(process.pid, "SIGKILL");
});
