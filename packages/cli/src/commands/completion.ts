import { Argument, type Command } from 'commander';
import type { CliContext } from '../command-line/context.js';
import { COMPLETIONS, type CompletedCommand } from '../command-line/completions.js';

const HELP = `
Example, for this shell and for every new one:
  source <(lethe completion bash)
  lethe completion bash >> ~/.bashrc
  lethe completion zsh > "\${fpath[1]}/_lethe"
  lethe completion fish > ~/.config/fish/completions/lethe.fish`;

/** The commands that users see, with what may stand behind each. */
function commandsOf(program: Command): CompletedCommand[] {
  return program.commands.map((command) => ({
    name: command.name(),
    description: command.description(),
    words: command.registeredArguments.flatMap(({ argChoices = [] }) => [...argChoices]),
    options: command.options.map(({ long, description, required, optional, argChoices }) => ({
      flag: long!,
      description,
      takesValue: required || optional,
      choices: [...(argChoices ?? [])],
    })),
  }));
}

/** `lethe completion`: a script that lets a shell complete commands, flags and their values. */
export function addCompletionCommand(program: Command, _context: CliContext): void {
  program
    .command('completion')
    .description('print a script that completes commands and flags in a shell')
    .addArgument(new Argument('<shell>', 'which shell').choices(Object.keys(COMPLETIONS)))
    .addHelpText('after', HELP)
    .action((shell: keyof typeof COMPLETIONS) => {
      process.stdout.write(COMPLETIONS[shell](commandsOf(program)));
    });
}
