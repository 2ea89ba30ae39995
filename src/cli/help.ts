/** The text after the options in `--help`, 80 columns wide at most. */
import type { CommandManual } from "./manual.ts";
import { COMMANDS, ENVIRONMENT, EXAMPLES, EXIT_CODES, FILES, SEE_ALSO } from "./manual.ts";
import { pad, wrap } from "./width.ts";

const COLUMNS = 80;

/** Of `keyturn --help`. */
export function helpOfProgram(): string {
  return [
    ...section("Examples:", exampleLines(EXAMPLES)),
    ...section("Environment:", entryLines(ENVIRONMENT)),
    ...section("Files:", entryLines(FILES)),
    ...section("Exit codes:", entryLines(EXIT_CODES)),
    "",
    ...wrap(`More: ${SEE_ALSO}`, COLUMNS),
  ].join("\n");
}

/** Of one command. */
export function helpOfCommand(name: string): string {
  const manual = COMMANDS[name];
  if (manual === undefined) return "";
  const { paragraphs, examples, settings } = manual;
  const rest =
    "Each setting has a variable too: --etcd-prefix is KEYTURN_ETCD_PREFIX." +
    (settings.includes("")
      ? ""
      : " Flags for all other settings are understood as well: keyturn run --help.");
  return [
    ...paragraphs.flatMap((text) => ["", ...wrap(text, COLUMNS)]),
    ...(settings.length > 0 ? ["", ...wrap(rest, COLUMNS)] : []),
    ...section("Examples:", exampleLines(examples)),
  ].join("\n");
}

function exampleLines(examples: CommandManual["examples"]): string[] {
  return examples.flatMap(({ does, lines }) => [`  # ${does}`, ...lines.map((line) => `  ${line}`)]);
}

function entryLines(entries: typeof ENVIRONMENT): string[] {
  const width = Math.max(...entries.map(({ word }) => word.length));
  return entries.flatMap(({ word, text }) =>
    wrap(text, COLUMNS - width - 4).map((line, at) => `  ${pad(at === 0 ? word : "", width)}  ${line}`),
  );
}

function section(heading: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ["", heading, ...lines];
}
