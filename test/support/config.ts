/** Loads a configuration from a text, or gives the lines of what is wrong with it. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { loadConfig } from "../../src/config/load.ts";
import type { Config } from "../../src/config/schema.ts";
import { KeyturnError } from "../../src/core/errors.ts";
import { useFolder } from "./folder.ts";

/** What may stand over the file. */
export interface Overrides {
  readonly env?: Readonly<Record<string, string>>;
  readonly flags?: Readonly<Record<string, string>>;
}

/** Loads `text` as `keyturn.yaml` of a folder of its own. */
export async function configOf(
  t: TestContext,
  text: string,
  { env = {}, flags = {} }: Overrides = {},
): Promise<Config> {
  const file = join(await useFolder(t), "keyturn.yaml");
  await writeFile(file, text);
  return loadConfig({ file, env, flags });
}

/** The lines of CONFIG_INVALID, without the folder. */
export async function problemsOf(t: TestContext, text: string, overrides?: Overrides): Promise<string[]> {
  const thrown = await configOf(t, text, overrides).then(
    () => {
      throw new Error("the configuration was accepted");
    },
    (reason: unknown) => reason,
  );
  if (!(thrown instanceof KeyturnError) || thrown.code !== "CONFIG_INVALID") throw thrown;
  return thrown.message.split("\n").map((line) => line.replace(/^\S*\/keyturn\.yaml/, "keyturn.yaml"));
}
