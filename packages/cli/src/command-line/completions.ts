import { shellQuoted } from './shell-words.js';

/** A flag as a shell completes it. */
export interface CompletedOption {
  flag: string;
  description: string;
  takesValue: boolean;
  /** What its value may be; files where there is nothing. */
  choices: string[];
}

/** A command as a shell completes it; `words` are what its arguments may be. */
export interface CompletedCommand {
  name: string;
  description: string;
  words: string[];
  options: CompletedOption[];
}

const names = (commands: readonly CompletedCommand[]): string => commands.map(({ name }) => name).join(' ');
const flags = ({ options }: CompletedCommand): string => [...options.map(({ flag }) => flag), '--help'].join(' ');

/** A `case` of bash for each flag whose value is one of a few. */
const valueCases = ({ name, options }: CompletedCommand): string[] =>
  options
    .filter(({ choices }) => choices.length > 0)
    .map(({ flag, choices }) => `    "${name} ${flag}") words="${choices.join(' ')}" ;;`);

/** Flags whose value is a file or a word of the user's: files are completed. */
const fileCases = ({ name, options }: CompletedCommand): string[] =>
  options
    .filter(({ choices, takesValue }) => takesValue && choices.length === 0)
    .map(({ flag }) => `    "${name} ${flag}") words= ;;`);

function bash(commands: readonly CompletedCommand[]): string {
  const cases = commands.map(
    (command) => `    ${command.name}) words="${[flags(command), ...command.words].join(' ')}" ;;`,
  );
  return `# Completes lethe in bash: source <(lethe completion bash)
_lethe() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" command="" words="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) command="$word"; break ;; esac
  done
  case "$command" in
    "") words="${names(commands)} help --version --verbose --quiet --help" ;;
${cases.join('\n')}
  esac
  case "$command $before" in
${commands.flatMap((command) => [...valueCases(command), ...fileCases(command)]).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _lethe lethe
`;
}

const inBrackets = (text: string): string => text.replaceAll(/[[\]:]/g, (one) => `\\${one}`);

function zsh(commands: readonly CompletedCommand[]): string {
  const value = ({ takesValue, choices }: CompletedOption): string =>
    !takesValue ? '' : choices.length > 0 ? `:value:(${choices.join(' ')})` : ':value:_files';
  const cases = commands.map((command) => {
    const options = command.options.map((option) =>
      shellQuoted(`*${option.flag}[${inBrackets(option.description)}]${value(option)}`),
    );
    const rest = command.words.length > 0 ? `*:what:(${command.words.join(' ')})` : '*:file:_files';
    return `    ${command.name}) _arguments ${[...options, shellQuoted(rest)].join(' ')} ;;`;
  });
  const described = commands.map(({ name, description }) => shellQuoted(`${name}:${description}`));
  return `#compdef lethe
# Completes lethe in zsh: lethe completion zsh > "\${fpath[1]}/_lethe"
_lethe() {
  local -a commands
  commands=(${described.join(' ')})
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local name="\${words[2]}"
  shift words
  (( CURRENT-- ))
  case "$name" in
${cases.join('\n')}
  esac
}
if [ "$funcstack[1]" = _lethe ]; then _lethe "$@"; else compdef _lethe lethe; fi
`;
}

function fish(commands: readonly CompletedCommand[]): string {
  const lines = commands.flatMap(({ name, description, words, options }) => [
    `complete -c lethe -n __fish_use_subcommand -f -a ${name} -d ${shellQuoted(description)}`,
    ...words.map((word) => `complete -c lethe -n '__fish_seen_subcommand_from ${name}' -a ${word}`),
    ...options.map(({ flag, description: of, takesValue, choices }) => {
      const value = !takesValue ? '' : choices.length > 0 ? ` -x -a ${shellQuoted(choices.join(' '))}` : ' -r -F';
      return `complete -c lethe -n '__fish_seen_subcommand_from ${name}' -l ${flag.slice(2)}${value} -d ${shellQuoted(of)}`;
    }),
  ]);
  return `# Completes lethe in fish: lethe completion fish > ~/.config/fish/completions/lethe.fish\n${lines.join('\n')}\n`;
}

/** The script of each shell. */
export const COMPLETIONS = { bash, zsh, fish };
