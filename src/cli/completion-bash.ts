/** Completion for bash: no other package is needed beside it. */
import type { CommandShape, OptionShape, ValueShape } from "./shape.ts";

/** The script. */
export function bashCompletion(
  commands: readonly CommandShape[],
  programOptions: readonly OptionShape[],
): string {
  const names = commands.map(({ name }) => name);
  return `# Completion of keyturn for bash: source <(keyturn completion bash)

_keyturn_words() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen -W "$1" -- "$_keyturn_cur"))
}

_keyturn_files() {
  compopt -o filenames 2>/dev/null
  local IFS=$'\\n'
  COMPREPLY=($(compgen "$1" -- "$_keyturn_cur"))
}

_keyturn_bundles() {
  _keyturn_words "$("\${COMP_WORDS[0]}" bundle-names "\${_keyturn_config[@]}" 2>/dev/null)"
}

_keyturn_generations() {
  _keyturn_words "$("\${COMP_WORDS[0]}" generation-names "\${_keyturn_config[@]}" "$_keyturn_name" 2>/dev/null)"
}

_keyturn() {
  # Bash breaks words at "=" and ":" too. A value is a value, whatever stands before it; host:port is one word.
  local _keyturn_name="" _keyturn_cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD - 1]}" command="" flag="" word
  local -i at=0 args=0
  local -a words=() _keyturn_config=()
  COMPREPLY=()
  [[ $_keyturn_cur == ":" || $prev == ":" ]] && return
  [[ $_keyturn_cur == "=" ]] && _keyturn_cur=""
  [[ $prev == "=" ]] && prev="\${COMP_WORDS[COMP_CWORD - 2]}"
  for ((at = 1; at < COMP_CWORD; at++)); do
    word="\${COMP_WORDS[at]}"
    if [[ $word == ":" && at -gt 1 ]]; then
      at+=1
      words[-1]+=":\${COMP_WORDS[at]}"
    elif [[ $word != "=" ]]; then
      words+=("$word")
    fi
  done
  for word in "\${words[@]}"; do
    if [[ -n $flag ]]; then
      case "$flag" in --config | --admin-listen | --output-dir) _keyturn_config+=("$flag" "$word") ;; esac
      flag=""
    elif [[ $word == -* ]]; then
      _keyturn_takes_value "$command" "$word" && flag="$word"
    elif [[ -z $command ]]; then
      command="$word"
    else
      args+=1
      ((args == 1)) && _keyturn_name="$word"
    fi
  done
  if [[ -z $command ]]; then
    if [[ $_keyturn_cur == -* ]]; then _keyturn_words "${lines(programOptions.flatMap(flagsOf))}"
    else _keyturn_words "${lines(names)}"; fi
    return
  fi
  case "$command $prev" in
${cases(commands)}
  esac
  case "$command" in
${commands.map(commandCase).join("\n")}
  esac
}

_keyturn_takes_value() {
  case "$1 $2" in
    ${commands.flatMap(({ name, options }) => valued(options).map((option) => `"${name} ${option.long}"`)).join(" | ")}) return 0 ;;
  esac
  return 1
}

complete -F _keyturn keyturn
`;
}

/** What follows a flag. */
function cases(commands: readonly CommandShape[]): string {
  const byAction = new Map<string, string[]>();
  for (const { name, options } of commands) {
    for (const { long, value } of valued(options)) {
      const action = actionOf(value);
      byAction.set(action, [...(byAction.get(action) ?? []), `"${name} ${long}"`]);
    }
  }
  return [...byAction].map(([action, flags]) => `    ${flags.join(" | ")}) ${action}; return ;;`).join("\n");
}

function commandCase({ name, args, options }: CommandShape): string {
  const flags = options.filter(({ isHidden }) => !isHidden).flatMap(flagsOf);
  const positions = args.map((arg, at) => `${arg.isVariadic ? "*" : at}) ${actionOf(arg)} ;;`);
  const ofArguments = positions.length === 0 ? ":" : `case $args in ${positions.join(" ")} esac`;
  return `    ${name})
      if [[ $_keyturn_cur == -* ]]; then _keyturn_words "${lines(flags)}"
      else ${ofArguments}; fi ;;`;
}

/** Options whose value is a word of its own. */
function valued(options: readonly OptionShape[]) {
  return options.flatMap(({ long, value }) =>
    value === null || value.placeholder.startsWith("[") ? [] : [{ long, value }],
  );
}

function actionOf({ kind, choices }: ValueShape): string {
  if (choices.length > 0) return `_keyturn_words "${lines(choices)}"`;
  switch (kind) {
    case "file":
      return "_keyturn_files -f";
    case "dir":
      return "_keyturn_files -d";
    case "bundle":
      return "_keyturn_bundles";
    case "generation":
      return "_keyturn_generations";
    case "other":
      return ":";
  }
}

function flagsOf({ long, short }: OptionShape): string[] {
  return short === undefined ? [long] : [short, long];
}

function lines(words: readonly string[]): string {
  return words.join("\n");
}
