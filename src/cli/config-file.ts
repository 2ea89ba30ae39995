/** Which configuration a command uses. */
import { access } from "node:fs/promises";
import { loadConfig } from "../config/load.ts";
import type { Config } from "../config/schema.ts";

/** Where a command line points at settings. */
export interface ConfigOptions {
  /** `--config`. */
  readonly config?: string | undefined;
  /** Values of flags such as `--output-dir`, by flag. */
  readonly flags: Readonly<Record<string, string | undefined>>;
}

/** Where it is looked for when none is named. */
export const DEFAULT_FILES = ["keyturn.yaml", "/etc/keyturn/keyturn.yaml"];

/** The file named by `--config` or `KEYTURN_CONFIG`, else the first default one that exists. */
export async function findConfigFile({ config }: ConfigOptions): Promise<string | undefined> {
  const named = config ?? process.env.KEYTURN_CONFIG;
  if (named !== undefined) return named;
  for (const file of DEFAULT_FILES) {
    const exists = await access(file).then(
      () => true,
      () => false,
    );
    if (exists) return file;
  }
  return undefined;
}

/** Loads the configuration of a command. @throws KeyturnError CONFIG_INVALID. */
export async function loadCommandConfig(options: ConfigOptions): Promise<Config> {
  return loadConfig({ file: await findConfigFile(options), env: process.env, flags: options.flags });
}
