/** The man page `keyturn(1)`, in roff: made from the program itself and the prose of its help. */
import type { Command } from "commander";
import { OVERRIDES } from "../config/overrides.ts";
import {
  COMMANDS,
  DESCRIPTION,
  ENVIRONMENT,
  EXAMPLES,
  EXIT_CODES,
  FILES,
  GROUPS,
  SEE_ALSO,
  SUMMARY,
} from "./manual.ts";
import { type CommandShape, type OptionShape, optionsOf, shapeOf, type ValueShape } from "./shape.ts";

/** The page. */
export function manPage(program: Command, version: string): string {
  const commands = shapeOf(program);
  const grouped = GROUPS.flatMap((group) => commands.filter(({ name }) => groupOf(name) === group));
  return [
    `.\\" Made from the program itself: change that.`,
    `.TH KEYTURN 1 "" "keyturn ${escapeText(version)}" "User Commands"`,
    // No hyphenation, and lines that end where words end: much here is to be copied.
    ".nh",
    ".ad l",
    ".SH NAME",
    `keyturn \\- ${escapeText(SUMMARY.charAt(0).toLowerCase() + SUMMARY.slice(1).replace(/\.$/, ""))}`,
    ".SH SYNOPSIS",
    ...grouped.flatMap((command) => [synopsisOf(command), ".br"]).slice(0, -1),
    ".SH DESCRIPTION",
    ...paragraphs(DESCRIPTION),
    ".SH OPTIONS",
    ...optionsOf(program).flatMap(optionLines),
    ".SH COMMANDS",
    ...grouped.flatMap(commandLines),
    ".SH SETTINGS",
    ...paragraphs([
      "Every command that reads the configuration understands --config and these flags. Flags win over variables, these " +
        "over the file, the file over the defaults.",
    ]),
    ...entry(`${bold("--config")} ${italic("file")}`, "configuration file (or KEYTURN_CONFIG)"),
    ...OVERRIDES.flatMap(({ flag, variable, help, choices }) =>
      entry(
        `${bold(flag)} ${italic("value")}`,
        `${help}${choices.length > 0 ? `: ${choices.join(", ")}` : ""} (or ${variable})`,
      ),
    ),
    ".SH ENVIRONMENT",
    ...ENVIRONMENT.flatMap(({ word, text }) => entry(bold(word), text)),
    ".SH FILES",
    ...FILES.flatMap(({ word, text }) => entry(italic(word), text)),
    ".SH EXIT STATUS",
    ...EXIT_CODES.flatMap(({ word, text }) => entry(bold(word), text)),
    ".SH EXAMPLES",
    ...examples(EXAMPLES),
    ".SH SEE ALSO",
    ...paragraphs([SEE_ALSO]),
    "",
  ].join("\n");
}

function groupOf(name: string): string {
  return COMMANDS[name]?.group ?? GROUPS.at(-1) ?? "";
}

function synopsisOf({ name, args, options }: CommandShape): string {
  const hasOptions = options.some(({ isHidden, long }) => !isHidden && long !== "--help");
  const words = [bold("keyturn"), bold(name), ...(hasOptions ? [`[${italic("options")}]`] : [])];
  return [...words, ...args.map(({ placeholder }) => placeholderOf(placeholder))].join(" ");
}

function commandLines(command: CommandShape): string[] {
  const { name, description, args, options } = command;
  const { paragraphs: said = [], examples: shown = [] } = COMMANDS[name] ?? {};
  const own = options.filter(
    ({ isSetting, isHidden, long }) => !(isSetting || isHidden) && long !== "--help",
  );
  return [
    `.SS ${quoted(synopsisOf(command))}`,
    ...paragraphs([`${description.charAt(0).toUpperCase()}${description.slice(1)}.`, ...said]),
    ...args.flatMap(argumentLines),
    ...own.flatMap(optionLines),
    ...examples(shown),
  ];
}

function argumentLines({ placeholder, description, choices }: ValueShape): string[] {
  // What is clear from its name, such as the command that help is about.
  if (description === "") return [];
  return entry(placeholderOf(placeholder), description + choicesOf(choices));
}

function optionLines({ long, short, description, value, isRequired, defaultText }: OptionShape): string[] {
  const flags = [short, long].filter((flag) => flag !== undefined).map(bold);
  const head = `${flags.join(", ")}${value === null ? "" : ` ${placeholderOf(value.placeholder)}`}`;
  const rest = [
    value === null ? "" : choicesOf(value.choices),
    isRequired ? " (has to be given)" : "",
    defaultText === null ? "" : ` (default: ${defaultText})`,
  ];
  return entry(head, description + rest.join(""));
}

function choicesOf(choices: readonly string[]): string {
  return choices.length === 0 ? "" : `: ${choices.join(", ")}`;
}

function entry(head: string, text: string): string[] {
  return [".TP", head, escapeText(text)];
}

function paragraphs(texts: readonly string[]): string[] {
  return texts.flatMap((text) => [".PP", escapeText(text)]);
}

function examples(shown: typeof EXAMPLES): string[] {
  return shown.flatMap(({ does, lines }) => [
    ".PP",
    `${escapeText(does)}:`,
    ".PP",
    ".RS 4",
    ".nf",
    ...lines.map(escapeText),
    ".fi",
    ".RE",
  ]);
}

/** `<file>` in italics; the brackets of what may be left out stay. */
function placeholderOf(placeholder: string): string {
  return placeholder.replace(/[^<>[\]]+/, (word) => italic(word)).replace(/[<>]/g, "");
}

function bold(text: string): string {
  return `\\fB${escapeText(text)}\\fR`;
}

function italic(text: string): string {
  return `\\fI${escapeText(text)}\\fR`;
}

function quoted(text: string): string {
  return `"${text}"`;
}

/** Text that roff shows as it is. */
function escapeText(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll('"', "\\(dq")
    .replaceAll("'", "\\(aq")
    .replaceAll("`", "\\(ga")
    .replaceAll("^", "\\(ha")
    .replaceAll("~", "\\(ti")
    .replace(/^\./, "\\&.")
    .replace(
      /[^\n -~]/gu,
      (character) => `\\[u${character.codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0")}]`,
    );
}
