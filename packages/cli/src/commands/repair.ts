import { join } from 'node:path';
import { listenForStop, EXIT_CODES, UsageError, UserError } from '@lethe/run';
import { DEVICE_NAMES } from '@lethe/tensor';
import { type Command, Option } from 'commander';
import type { CliContext } from '../command-line/context.js';
import { positiveInteger, threadCount } from '../command-line/number-options.js';
import { precisionOfProcessor } from '../doctor/describe-addon.js';
import { dryRun } from '../repair/dry-run.js';
import type { RepairRequest } from '../repair/repair-request.js';
import { durationSeconds, FINETUNE_RUNS, repairSettings, type RepairSettings } from '../repair/repair-settings.js';
import type { RepairResults } from '../repair/results.js';
import { runRepair } from '../repair/run-repair.js';
import { sentence } from '../repair/verdict-text.js';

interface RepairFlags extends Partial<Omit<RepairSettings, 'budget'>> {
  budget?: number;
  json?: true;
  dryRun?: true;
}

/** `30m`, `90s`, `2h` or `1d` in seconds. @throws UsageError for anything else. */
export function parseDuration(text: string): number {
  const seconds = durationSeconds(text);
  if (seconds !== undefined) return seconds;
  throw new UsageError(`--budget: expected a time such as 30m, 90s, 2h or 1d, received "${text}"`);
}

const HELP = `
Example:
  lethe repair --model models/synth --synthetic qa.jsonl --natural web.jsonl
  lethe repair repair.yaml        (\`lethe init\` writes one)
The same command goes on where an interrupted one stopped. The folder gets
report.html, report.md, repair.json, and model/ where the verdict allows it.
Exit status: 0 repaired, or no repair advised; 3 not repaired; 4 cannot tell;
1 an error; 2 wrong flags; 130 or 143 stopped, with work saved.`;

/** `lethe repair`: whether a model is damaged, its repair, and whether that worked. */
export function addRepairCommand(program: Command, context: CliContext): void {
  program
    .command('repair')
    .description('find out whether synthetic text has damaged a model, repair it, and show whether that worked')
    .argument('[recipe]', 'a recipe, as `lethe init` writes it; flags go before its keys')
    .option('--model <dir>', 'checkpoint folder, or hf://OWNER/NAME, of the model')
    .option('--synthetic <files...>', 'the synthetic text it was trained on: files, or a folder of shards')
    .option('--natural <files...>', 'ordinary text of the kinds that it is to keep: files, or shards')
    .option('--base <dir>', 'the model from before the synthetic text, where there is one')
    .option('--instructions <files...>', 'JSONL of instructions that rules check, scored before and after')
    .option('--eval <recipe>', 'recipe of `lethe eval`: its benchmarks before and after, item by item')
    .option('--finetune <recipe>', 'recipe of `lethe finetune`: ask copies of the models that it fine-tunes')
    .option('--finetune-runs <n>', `such copies of each model (default: ${FINETUNE_RUNS})`, positiveInteger)
    .option('--budget <time>', 'what training may take, such as 30m or 2h', parseDuration)
    .option('--tokens <n>', 'the same in tokens', positiveInteger)
    .option('--out <dir>', 'folder of the repair (default: runs/repair)')
    .option('--anyway', 'train even where the verdict does not advise it')
    .option('--dry-run', 'check everything, print steps, memory and time, and do nothing')
    .option('--json', 'print repair.json')
    .addOption(new Option('--device <name>', 'where to compute (default: lethe-cpu)').choices([...DEVICE_NAMES]))
    .addOption(new Option('--precision <p>', 'default: bf16 where the processor has it').choices(['fp32', 'bf16']))
    .option('--threads <n>', 'CPU threads (default: all cores)', threadCount)
    .addHelpText('after', HELP)
    .action(async (recipe: string | undefined, { json, dryRun: isDry, ...flags }: RepairFlags) => {
      const request = requestOf(recipe, flags);
      if (isDry) process.stdout.write(`${await dryRun(request, context.logger())}\n`);
      else await repair(request, context, json ?? false);
    });
}

/** What flags and a recipe ask for, with defaults. @throws UserError where the model or a text is missing. */
function requestOf(recipe: string | undefined, { budget: seconds, ...flags }: RepairFlags): RepairRequest {
  const { tokens, budget, instructions, finetune, finetuneRuns, anyway, precision, ...settings } = repairSettings(
    recipe,
    flags,
  );
  const most = seconds ?? (budget === undefined ? undefined : durationSeconds(budget));
  return {
    out: join('runs', 'repair'),
    device: 'lethe-cpu',
    ...settings,
    budget: { ...(most !== undefined && { seconds: most }), ...(tokens !== undefined && { tokens }) },
    instructions: instructions ?? [],
    ...(finetune !== undefined && { finetune: { recipe: finetune, runs: finetuneRuns ?? FINETUNE_RUNS } }),
    anyway: anyway ?? false,
    precision: precision ?? precisionOfProcessor(),
  };
}

async function repair(request: RepairRequest, context: CliContext, isJson: boolean): Promise<void> {
  const logger = context.logger();
  const abort = new AbortController();
  const stop = listenForStop((signal) => {
    logger.warn(`${signal}: finishing this step and saving; again to stop at once`);
    abort.abort(new UserError(`${signal}: stopped; run the same command to go on`));
  });
  try {
    const results = await runRepair(request, { logger, stop, signal: abort.signal });
    if (typeof results === 'string') {
      logger.warn('stopped; run the same command to go on');
      context.exitCode = EXIT_CODES[results];
      return;
    }
    process.stdout.write(isJson ? `${JSON.stringify(results, null, 1)}\n` : `${sentence(results)}\n`);
    logger.info(`page: ${join(request.out, 'report.html')}, numbers: ${join(request.out, 'repair.json')}`);
    context.exitCode = exitCodeOf(results);
  } catch (error) {
    if (stop.requested === undefined) throw error;
    logger.warn((error as Error).message);
    context.exitCode = EXIT_CODES[stop.requested];
  } finally {
    stop.dispose();
  }
}

/** Exit status by the verdicts. */
export function exitCodeOf({ before, after }: Pick<RepairResults, 'before' | 'after'>): number {
  if (after.verdict === 'repaired') return EXIT_CODES.done;
  if (after.verdict === 'not-repaired') return EXIT_CODES.noResult;
  return after.verdict === 'not-run' && before.verdict !== 'cannot-tell' ? EXIT_CODES.done : EXIT_CODES.cannotTell;
}
