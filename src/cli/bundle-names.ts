/** The names of the bundles of this node, for completion: fast, and silent where there are none. */
import { readdir } from "node:fs/promises";
import { bundleName } from "../core/names.ts";
import { bundleNamesOf } from "./admin-client.ts";
import { type ConfigOptions, loadCommandConfig } from "./config-file.ts";
import { print } from "./print.ts";

/** Somebody waits with a finger on the key. */
const TIMEOUT_MS = 500;

/** One name a line: those the daemon knows, else those on disk. Exit code 0 in any case. */
export async function printBundleNames(options: ConfigOptions): Promise<number> {
  const config = await loadCommandConfig(options).catch(() => undefined);
  if (config === undefined) return 0;
  const known = await bundleNamesOf(config.admin, TIMEOUT_MS);
  const names = known.length > 0 ? known : await namesOnDisk(config.output.dir);
  if (names.length > 0) print([...names].sort().join("\n"));
  return 0;
}

async function namesOnDisk(dir: string): Promise<readonly string[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory() && bundleName(entry.name)).map(({ name }) => name);
}
