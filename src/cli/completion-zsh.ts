/** Completion for zsh, by its own `_arguments`. */
import type { CommandShape, OptionShape, ValueShape } from "./shape.ts";

/** The script. */
export function zshCompletion(
  commands: readonly CommandShape[],
  programOptions: readonly OptionShape[],
): string {
  return `#compdef keyturn
# Completion of keyturn for zsh: keyturn completion zsh > "$fpath[1]/_keyturn"

_keyturn_ask() {
  local -a names config
  local flag
  for flag in --config --admin-listen --output-dir; do
    (( \${+opt_args[$flag]} )) && config+=($flag "\${(Q)opt_args[$flag]}")
  done
  names=(\${(f)"$(_call_program names keyturn $1 "\${(q)config[@]}" "\${(q)@[2,-1]}" 2>/dev/null)"})
  compadd -a names
}

_keyturn_bundles() {
  _keyturn_ask bundle-names
}

_keyturn_generations() {
  _keyturn_ask generation-names "\${(Q)line[1]}"
}

_keyturn() {
  local context state state_descr line curcontext="$curcontext"
  typeset -A opt_args
  local -a commands=(
${commands.map(({ name, description }) => `    ${quote(`${name}:${description.replaceAll(":", "\\:")}`)}`).join("\n")}
  )
  _arguments -C \\
${programOptions.map(optionSpec).join("\n")}
    '1:command:->command' '*::argument:->argument' && return
  case $state in
    command) _describe command commands ;;
    argument)
      curcontext="\${curcontext%:*:*}:keyturn-$words[1]:"
      case $words[1] in
${commands.map(commandCase).join("\n")}
      esac ;;
  esac
}

if [[ $funcstack[1] == _keyturn ]]; then _keyturn "$@"; else compdef _keyturn keyturn; fi
`;
}

function commandCase({ name, args, options }: CommandShape): string {
  const shown = options.filter(({ isHidden }) => !isHidden).map(optionSpec);
  const positions = args.map((arg, at) => `    ${argumentSpec(arg, at)} \\`);
  return `        ${name}) _arguments -s \\\n${[...shown, ...positions].map((line) => `      ${line}`).join("\n")}
          && return ;;`;
}

function optionSpec({ long, short, description, value }: OptionShape): string {
  const text = description.replace(/[[\]]/g, "\\$&").replaceAll(":", "\\:");
  const names = short === undefined ? [long] : [short, long];
  const head = names.length > 1 ? `'(${names.join(" ")})'{${names.join(",")}}` : "";
  const flag = head === "" ? `${long}${value === null ? "" : "="}` : "";
  const optional = value?.placeholder.startsWith("[") ? ":" : "";
  const after =
    value === null ? "" : `:${optional}${value.placeholder.replace(/[^a-z-]/g, "")}:${actionOf(value)}`;
  return `    ${head}${quote(`${flag}[${text}]${after}`)} \\`;
}

function argumentSpec(arg: ValueShape, at: number): string {
  const optional = arg.placeholder.startsWith("[") ? ":" : "";
  const position = arg.isVariadic ? "*" : `${at + 1}`;
  const name = arg.placeholder.replace(/[^a-z-]/g, "");
  return quote(`${position}:${arg.isVariadic ? "" : optional}${name}:${actionOf(arg)}`);
}

function actionOf({ kind, choices }: ValueShape): string {
  if (choices.length > 0) return `(${choices.join(" ")})`;
  return {
    file: "_files",
    dir: "_files -/",
    bundle: "_keyturn_bundles",
    generation: "_keyturn_generations",
    other: " ",
  }[kind];
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
