/** What there is to type, read from the program itself: completion and manual are made of it. */
import type { Argument, Command, Option } from "commander";
import { OVERRIDES } from "../config/overrides.ts";

/** What a value names, as its placeholder says: `<file>`, `<dir>`, `<name>`, `<generation>`; else nothing that can be listed. */
type ValueKind = "file" | "dir" | "bundle" | "generation" | "other";

/** A value of an option, or an argument. */
export interface ValueShape {
  /** `<file>`, `[names...]`. */
  readonly placeholder: string;
  readonly kind: ValueKind;
  /** Empty where anything may be given. */
  readonly choices: readonly string[];
  readonly isVariadic: boolean;
  readonly description: string;
}

/** An option. */
export interface OptionShape {
  readonly long: string;
  readonly short: string | undefined;
  readonly description: string;
  /** Null for a switch. */
  readonly value: ValueShape | null;
  /** Whether it is the flag of a setting, which most commands have. */
  readonly isSetting: boolean;
  /** Understood, and not named by the help of this command. */
  readonly isHidden: boolean;
  readonly isRequired: boolean;
  readonly defaultText: string | null;
}

/** A command. */
export interface CommandShape {
  readonly name: string;
  readonly description: string;
  readonly args: readonly ValueShape[];
  readonly options: readonly OptionShape[];
}

const KINDS: Readonly<Record<string, ValueKind>> = {
  file: "file",
  files: "file",
  dir: "dir",
  name: "bundle",
  names: "bundle",
  generation: "generation",
};
const SETTING_FLAGS = new Set([...OVERRIDES.map(({ flag }) => flag), "--config"]);

/** The commands that are no secret, in their order. `help` is one. */
export function shapeOf(program: Command): readonly CommandShape[] {
  const help = program.createHelp();
  const commands = help.visibleCommands(program);
  const names = commands.map((command) => command.name());
  return commands.map((command) => ({
    name: command.name(),
    description: command.description(),
    args: command.registeredArguments
      .map(argumentShape)
      .map((arg) => (command.name() === "help" ? { ...arg, choices: names } : arg)),
    options: [
      ...command.options.map(optionShape),
      ...help
        .visibleOptions(command)
        .filter(({ long }) => long === "--help")
        .map(optionShape),
    ],
  }));
}

/** The options of the program itself. */
export function optionsOf(program: Command): readonly OptionShape[] {
  return program.createHelp().visibleOptions(program).map(optionShape);
}

/** `<name>`, `[names...]`. */
export function placeholderOf(argument: Argument): string {
  const name = `${argument.name()}${argument.variadic ? "..." : ""}`;
  return argument.required ? `<${name}>` : `[${name}]`;
}

function argumentShape(argument: Argument): ValueShape {
  return {
    placeholder: placeholderOf(argument),
    kind: KINDS[argument.name()] ?? "other",
    choices: argument.argChoices ?? [],
    isVariadic: argument.variadic,
    description: argument.description,
  };
}

function optionShape(option: Option): OptionShape {
  const { long = "", short, description, flags, argChoices = [], hidden, mandatory, defaultValue } = option;
  const placeholder = /[<[].*$/.exec(flags)?.[0];
  const kind = KINDS[placeholder?.replace(/[^a-z]/g, "") ?? ""] ?? "other";
  const value = {
    placeholder: placeholder ?? "",
    kind,
    choices: argChoices,
    isVariadic: false,
    description: "",
  };
  return {
    long,
    short,
    description,
    value: placeholder === undefined ? null : value,
    isSetting: SETTING_FLAGS.has(long),
    isHidden: hidden,
    isRequired: mandatory,
    defaultText: defaultValue === undefined || option.negate ? null : String(defaultValue),
  };
}
