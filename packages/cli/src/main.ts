import {
  boundedMessage,
  createLogger,
  EXIT_CODES,
  explainSystemError,
  explainWriteError,
  type Logger,
  type LogLevel,
  requireLocal,
  UsageError,
  UserError,
  VERSION,
} from '@lethe/run';
import { ToldError } from '@lethe/train';
import { Command, CommanderError } from 'commander';
import type { CliContext } from './command-line/context.js';
import { rankOfJob, requireOneProcess } from './command-line/one-process.js';
import { wrapLines } from './command-line/wrap.js';
import { addCompareCommand } from './commands/compare.js';
import { addCompletionCommand } from './commands/completion.js';
import { addDemoCommand } from './commands/demo.js';
import { addDiagnoseCommand } from './commands/diagnose.js';
import { addDoctorCommand } from './commands/doctor.js';
import { addEvalCommand } from './commands/eval.js';
import { addExportCommand } from './commands/export.js';
import { addGenerateCommand } from './commands/generate.js';
import { addInitCommand } from './commands/init.js';
import { addInspectCommand } from './commands/inspect.js';
import { addPaperCommand } from './commands/paper.js';
import { addPrepareCommand } from './commands/prepare.js';
import { addRepairCommand } from './commands/repair.js';
import { addReportCommand } from './commands/report.js';
import { addReproduceCommand } from './commands/reproduce.js';
import { addSchemaCommand } from './commands/schema.js';
import { addScoreCommand } from './commands/score.js';
import { addServeCommand } from './commands/serve.js';
import { addSweepCommand } from './commands/sweep.js';
import { addTrainCommands } from './commands/train.js';
import { addWatchCommand } from './commands/watch.js';

/** A file or folder that the system refuses; Node's message names it. */
const isSystemError = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'syscall' in error && 'path' in error;

/** Where a system error happened, as far as it says so: errors of open files do not. */
const pathOf = (error: unknown): string =>
  (error as NodeJS.ErrnoException | undefined)?.path ?? 'a file that was being written or opened';

const wantsStack = (args: string[]): boolean => args.includes('--verbose');

/** Flags whose texts may be empty. */
const MAY_BE_EMPTY = new Set(['prompt', 'set', 'vary']);

/**
 * Refuses a flag or argument given without a text, as a shell's unset variable gives it, before it counts as not given, a flag in the place
 * of a value, and an address where something is to be written.
 * @throws UsageError naming the flag; UserError naming the address.
 */
function checkFlags(command: Command): void {
  if (command.args.includes(''))
    throw new UsageError(
      `lethe ${command.name()}: expected no empty arguments, received one; give a text, or leave it out`,
    );
  for (const option of command.options) {
    const name = option.attributeName();
    if (command.getOptionValueSource(name) !== 'cli' || MAY_BE_EMPTY.has(name)) continue;
    const flag = option.long ?? option.flags;
    for (const value of [command.getOptionValue(name) as unknown].flat()) {
      if (value === '')
        throw new UsageError(`${flag}: expected a value, received an empty text; give one, or leave it out`);
      if (command.options.some(({ long }) => long !== undefined && long === value))
        throw new UsageError(`${flag}: expected a value, received the flag ${value as string}; give a value before it`);
      if (name === 'out' && typeof value === 'string') requireLocal(value);
    }
  }
}

/** The `lethe` program; commands report through `context`. */
export function createProgram(context: CliContext): Command {
  const program = new Command('lethe')
    .description('Repairs language models that synthetic training data has damaged: diagnose, unlearn, verify.')
    .version(VERSION)
    .option('--verbose', 'print stack traces and debug messages')
    .option('--quiet', 'print warnings and errors only')
    .showHelpAfterError('(add --help for what this command takes)')
    .configureHelp({ sortSubcommands: false })
    .configureOutput({
      writeOut: (text) => void process.stdout.write(wrapLines(text)),
      outputError: (text, write) => write(`${boundedMessage(text.trimEnd())}\n`),
    })
    .exitOverride()
    .hook('preAction', (_, command) => checkFlags(command));
  for (const add of [
    addRepairCommand,
    addInitCommand,
    addPrepareCommand,
    addInspectCommand,
    addTrainCommands,
    addSweepCommand,
    addReportCommand,
    addWatchCommand,
    addReproduceCommand,
    addEvalCommand,
    addCompareCommand,
    addDiagnoseCommand,
    addScoreCommand,
    addGenerateCommand,
    addServeCommand,
    addExportCommand,
    addDemoCommand,
    addPaperCommand,
    addSchemaCommand,
    addCompletionCommand,
    addDoctorCommand,
  ]) {
    add(program, context);
  }
  program.hook('preAction', (_, command) => requireOneProcess(command.name(), command.opts<{ over?: string }>().over));
  return program;
}

/** A reader that has seen enough (`lethe ... | head`) ends neither a run nor its files: what is printed is dropped. */
function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr])
    if (stream.listenerCount('error') === 0)
      stream.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EPIPE') throw error;
      });
}

/** `help NAME` of an unknown command as NAME, whose error tells the nearest one: commander's help says nothing of it. */
function explained(program: Command, args: string[]): string[] {
  const [help, name] = args;
  const isKnown = name === undefined || [...program.commands.map((command) => command.name()), 'help'].includes(name);
  return help === 'help' && !isKnown ? args.slice(1) : args;
}

/**
 * Runs the command line.
 * @returns the exit code, one of {@link EXIT_CODES}.
 */
export async function main(args: string[]): Promise<number> {
  outliveReaders();
  let program: Command | undefined;
  const level = (): LogLevel => {
    const { verbose, quiet } = program!.opts<{ verbose?: boolean; quiet?: boolean }>();
    if (verbose) return 'debug';
    return quiet ? 'warn' : 'info';
  };
  let logger: Logger | undefined;
  const context: CliContext = {
    // Of several processes of a job the first one tells.
    logger: () => (logger ??= createLogger({ level: rankOfJob() > 0 ? 'silent' : level() })),
    exitCode: EXIT_CODES.done,
  };
  program = createProgram(context);
  if (args.every((word) => word === '--verbose' || word === '--quiet')) {
    program.outputHelp();
    return 0;
  }
  try {
    await program.parseAsync(explained(program, args), { from: 'user' });
    return context.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_CODES.done : EXIT_CODES.usage;
    logger?.endProgress();
    if (error instanceof ToldError) return error.exitCode; // another rank says it
    const told = explainSystemError(explainWriteError(error, pathOf(error)));
    const { message, stack } = told as Error;
    const isExpected = told instanceof UserError || told instanceof RangeError || isSystemError(told);
    process.stderr.write(`lethe: ${wantsStack(args) ? stack : boundedMessage(message)}\n`);
    if (!isExpected && !wantsStack(args)) process.stderr.write('(add --verbose for where this happened)\n');
    return told instanceof UserError ? told.exitCode : EXIT_CODES.failed;
  }
}
