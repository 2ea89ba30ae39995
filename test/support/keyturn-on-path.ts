/** A folder for the PATH with the keyturn command of this checkout, for shells of tests. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CLI } from "./daemon.ts";
import { useFolder } from "./folder.ts";
import type { Scope } from "./scope.ts";

/** The folder. */
export async function useKeyturnOnPath(t: Scope): Promise<string> {
  const folder = await useFolder(t);
  const call = [process.execPath, ...CLI].map((word) => `'${word}'`).join(" ");
  await writeFile(join(folder, "keyturn"), `#!/bin/sh\nexec ${call} "$@"\n`, { mode: 0o755 });
  return folder;
}
