/** `checks` of a configuration that says nothing else. */
import { loadConfig } from "../../src/config/load.ts";
import type { Config } from "../../src/config/schema.ts";

/** The defaults, with some settings in their place. */
export async function checksSettings(settings: Partial<Config["checks"]> = {}): Promise<Config["checks"]> {
  const { checks } = await loadConfig({ file: undefined, env: {}, flags: {} });
  return { ...checks, ...settings };
}
