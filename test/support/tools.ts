/** Finds programs that some tests need: in the folders that scripts/ready.mjs names, or on the PATH. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Variables of its table, but for that of etcd, and of those that need more than a path to be run. */
const VARIABLES = ["TOOLS", "SYSTEMD", "PROXIES", "SERVERS", "PROMETHEUS"].map(
  (name) => `KEYTURN_${name}_BIN`,
);

/** The path of a program; undefined where this machine has none. */
export function findTool(name: string): string | undefined {
  const named = VARIABLES.map((variable) => process.env[variable] ?? "");
  const folders = [...named, ...(process.env.PATH ?? "").split(delimiter)].filter(Boolean);
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** The path of a program without which the test cannot be. */
export function needTool(name: string): string {
  const found = findTool(name);
  if (found === undefined)
    throw new Error(`there is no ${name}: run the tests by npm, which fetches it, or install it`);
  return found;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
