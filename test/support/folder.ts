/** A temporary folder for each test that asks for one. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Scope } from "./scope.ts";

/** Makes a folder that is removed when the test is over. */
export async function useFolder(t: Scope): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "keyturn-test-"));
  // A process that is ended after this may still be writing there.
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }));
  return folder;
}
