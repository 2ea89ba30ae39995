/** `keyturn check-config`: is the configuration good, what does it come to, and what in it is likely a mistake? */
import { stringify } from "yaml";
import { jsonSchemaOfConfig } from "../config/json-schema.ts";
import { warningsHere } from "../config/named-files.ts";
import type { Config } from "../config/schema.ts";
import type { Warning } from "../config/warnings.ts";
import { asWritten } from "../config/written.ts";
import { KeyturnError } from "../core/errors.ts";
import { type ConfigOptions, findConfigFile, loadCommandConfig } from "./config-file.ts";
import { print, printError, printJson } from "./print.ts";
import { plain } from "./table.ts";

/** What is typed. */
export interface CheckConfigOptions extends ConfigOptions {
  readonly json?: boolean;
  /** The JSON Schema in place of a check. */
  readonly schema?: boolean;
}

/** What `--json` prints. */
export type ConfigReport =
  | {
      readonly ok: true;
      readonly file: string | null;
      readonly config: Config;
      readonly warnings: readonly Warning[];
    }
  | { readonly ok: false; readonly file: string | null; readonly problems: readonly string[] };

/** Exit code 0 where it is good, 2 where it is not. */
export async function checkConfig({ json, schema, ...options }: CheckConfigOptions): Promise<number> {
  if (schema) {
    printJson(jsonSchemaOfConfig());
    return 0;
  }
  const report = await reportOn(options);
  if (json) printJson(report);
  else if (report.ok) describe(report);
  else throw new KeyturnError("CONFIG_INVALID", report.problems.join("\n"));
  return report.ok ? 0 : 2;
}

/** The check. */
export async function reportOn(options: ConfigOptions): Promise<ConfigReport> {
  const file = (await findConfigFile(options)) ?? null;
  try {
    const config = await loadCommandConfig(options);
    return { ok: true, file, config, warnings: await warningsHere(config) };
  } catch (thrown) {
    if (!(thrown instanceof KeyturnError)) throw thrown;
    return { ok: false, file, problems: thrown.message.split("\n") };
  }
}

function describe({ file, config, warnings }: Extract<ConfigReport, { readonly ok: true }>): void {
  const head = `# ${file ?? "no file"}: good. In force:`;
  print(`${head}\n${stringify(asWritten(config)).trimEnd()}`);
  for (const { setting, message } of warnings) printError(`keyturn: warning: ${setting}: ${plain(message)}`);
}
