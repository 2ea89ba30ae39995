/** `keyturn check-config`: is the configuration good, and what does it come to with defaults and overrides? */
import { stringify } from "yaml";
import { KeyturnError } from "../core/errors.ts";
import { type ConfigOptions, findConfigFile, loadCommandConfig } from "./config-file.ts";
import { print } from "./print.ts";

/** Exit code 0 where it is good, 2 where it is not. */
export async function checkConfig(options: ConfigOptions & { readonly json?: boolean }): Promise<number> {
  const file = (await findConfigFile(options)) ?? null;
  try {
    const config = await loadCommandConfig(options);
    if (options.json) print(JSON.stringify({ ok: true, file, config }, null, 2));
    else
      print(
        `# ${file ?? "no file"}: good. In force, durations in milliseconds:\n${stringify(config).trimEnd()}`,
      );
    return 0;
  } catch (thrown) {
    if (!options.json || !(thrown instanceof KeyturnError)) throw thrown;
    print(JSON.stringify({ ok: false, file, problems: thrown.message.split("\n") }, null, 2));
    return 2;
  }
}
