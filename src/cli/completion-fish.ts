/** Completion for fish. */
import type { CommandShape, OptionShape, ValueShape } from "./shape.ts";

/** The script. */
export function fishCompletion(
  commands: readonly CommandShape[],
  programOptions: readonly OptionShape[],
): string {
  const isNone = `not __fish_seen_subcommand_from ${commands.map(({ name }) => name).join(" ")}`;
  return [
    "# Completion of keyturn for fish: keyturn completion fish > ~/.config/fish/completions/keyturn.fish",
    "",
    "function __keyturn_ask",
    "    set -l words (commandline -opc)",
    "    set -l config",
    "    for flag in --config --admin-listen --output-dir",
    "        if set -l at (contains -i -- $flag $words); and test (count $words) -gt $at",
    "            set -a config $flag $words[(math $at + 1)]",
    "            set -e words[(math $at + 1)]",
    "        end",
    "    end",
    "    if test $argv[1] = generation-names",
    "        # The first argument is the bundle.",
    "        set -a config (string match -v -- '-*' $words[3..-1])[1]",
    "    end",
    "    keyturn $argv[1] $config 2>/dev/null",
    "end",
    "",
    "# How many arguments stand before the one that is completed, besides the command.",
    "function __keyturn_arguments",
    "    count (string match -v -- '-*' (commandline -opc)[3..-1])",
    "end",
    "",
    "complete -c keyturn -f",
    ...programOptions.map((option) => optionLine(option, isNone)),
    ...commands.map(
      ({ name, description }) => `complete -c keyturn -n '${isNone}' -a ${name} -d ${quote(description)}`,
    ),
    ...commands.flatMap(commandLines),
    "",
  ].join("\n");
}

function commandLines({ name, args, options }: CommandShape): string[] {
  const isSeen = `__fish_seen_subcommand_from ${name}`;
  const shown = options.filter(({ isHidden }) => !isHidden);
  return [
    "",
    ...shown.map((option) => optionLine(option, isSeen)),
    ...args.flatMap((arg, at) => {
      const isIt = arg.isVariadic ? isSeen : `${isSeen}; and test (__keyturn_arguments) -eq ${at}`;
      const values = valuesOf(arg);
      return values === null ? [] : [`complete -c keyturn -n '${isIt}' ${values}`];
    }),
  ];
}

function optionLine({ long, short, description, value }: OptionShape, condition: string): string {
  const names = `${short === undefined ? "" : `-s ${short.slice(1)} `}-l ${long.slice(2)}`;
  const isNeeded = value !== null && !value.placeholder.startsWith("[");
  const needs = isNeeded ? ` -r${value.kind === "file" || value.kind === "dir" ? "" : "f"}` : "";
  const values = value === null ? null : valuesOf(value);
  return [
    `complete -c keyturn -n '${condition}' ${names}${needs}`,
    ...(values === null ? [] : [values]),
    `-d ${quote(description)}`,
  ].join(" ");
}

function valuesOf({ kind, choices }: ValueShape): string | null {
  if (choices.length > 0) return `-a '${choices.join(" ")}'`;
  return {
    file: "-F",
    dir: "-a '(__fish_complete_directories)'",
    bundle: "-a '(__keyturn_ask bundle-names)'",
    generation: "-a '(__keyturn_ask generation-names)'",
    other: null,
  }[kind];
}

function quote(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
