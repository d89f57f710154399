import { join } from 'node:path';
import { EXIT_CODES } from '@lethe/run';
import { type Command, Argument } from 'commander';
import type { CliContext } from '../command-line/context.js';
import { JSON_OPTION, printResults } from '../command-line/print-results.js';
import { addShorthands, changesOf, type Shorthands } from '../command-line/recipe-shorthands.js';
import { addRecipeOptions, repeatable } from '../command-line/repeatable-options.js';
import { checkSweep, planSweep, type SweepPlan, type SweepRequest } from '../sweep/plan-sweep.js';
import { runSweep, writeSweep } from '../sweep/run-sweep.js';
import { sweepPlanTable } from '../sweep/sweep-plan-table.js';
import { sweepTable } from '../sweep/sweep-table.js';
import { untilStopped } from '../command-line/until-stopped.js';
import { STAGES } from './train.js';

interface SweepFlags extends Omit<SweepRequest, 'stage'>, Shorthands {
  json?: true;
  dryRun?: boolean;
}

const HELP = `
Runs every combination, each in runs/<name>/<combination>/ as the command itself would run it there:
  lethe sweep unlearn --vary optimizer.lr=1e-5,5e-5 --vary objective.weights.forgetting=0.01,0.1
The same command again leaves finished runs alone, resumes the others, and tries failed ones again.
Results are in runs/<name>/sweep.json and sweep.csv.`;

/** `lethe sweep`: a training command over combinations of values. */
export function addSweepCommand(program: Command, context: CliContext): void {
  const command = program
    .command('sweep')
    .description('run a training command for every combination of values, and show which runs to choose from')
    .addArgument(new Argument('<command>', 'the training command').choices(Object.keys(STAGES)));
  addShorthands(addRecipeOptions(command, '<command>.yaml'))
    .addOption(repeatable('--vary <key=value,value>', 'values that one key of the recipe takes'))
    .option('--sweep <file>', 'YAML file of such lists, `key: [value, value]`')
    .option('--name <name>', 'folder of the sweep in `runs` (default: the name in the recipe, and -sweep)')
    .option('--dry-run', 'print the runs with their sizes and memory, and do nothing')
    .option(...JSON_OPTION)
    .addHelpText('after', HELP)
    .action(async (stage: string, flags: SweepFlags) => {
      const plan = planSweep({ ...flags, set: changesOf(flags), stage });
      if (flags.dryRun) process.stdout.write(`${await sweepPlanTable(plan)}\n`);
      else await sweep(plan, context, flags.json);
    });
}

async function sweep(given: SweepPlan, context: CliContext, isJson?: boolean): Promise<void> {
  const logger = context.logger();
  await untilStopped(context, async (stop) => {
    const plan = await checkSweep(given, logger);
    const stopped = await runSweep(plan, { logger, stop });
    if (stopped) return stopped;
    const results = writeSweep(plan.folder);
    printResults(results, sweepTable(results), isJson);
    logger.info(`every number is in ${join(plan.folder, 'sweep.json')} and sweep.csv`);
    const names = new Set(plan.runs.map(({ recipe }) => recipe.name));
    const failed = results.runs.filter(({ run, outcome }) => names.has(run) && outcome === 'failed');
    if (failed.length > 0) {
      logger.error(`${failed.length} of ${plan.runs.length} runs failed; sweep.json says why`);
      context.exitCode = EXIT_CODES.failed;
    }
    return undefined;
  });
}
