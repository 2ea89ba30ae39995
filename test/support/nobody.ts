/** Another user than root, for what root may always do. */
import { chownSync } from "node:fs";

/** The user and the group that own nothing. */
export const NOBODY = 65_534;
export const IS_ROOT = process.getuid?.() === 0;

/** Gives the folders to nobody, and the words that run a program as nobody. Without root this process is nobody enough. */
export function becomeNobody(...folders: readonly string[]): string[] {
  if (!IS_ROOT) return [];
  for (const folder of folders) chownSync(folder, NOBODY, NOBODY);
  return ["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"];
}
