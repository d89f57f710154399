import { join } from 'node:path';
import { EXIT_CODES, UsageError } from '@lethe/run';
import { alone, openCollectives } from '@lethe/tensor';
import { type Command, Argument, Option } from 'commander';
import type { CliContext } from '../command-line/context.js';
import { JSON_OPTION, printResults } from '../command-line/print-results.js';
import { addShorthands, changesOf, type Shorthands } from '../command-line/recipe-shorthands.js';
import { addRecipeOptions, repeatable } from '../command-line/repeatable-options.js';
import { checkSweep, planSweep, type SweepPlan, type SweepRequest } from '../sweep/plan-sweep.js';
import { type Part, part } from '../sweep/part.js';
import { runSweep } from '../sweep/run-sweep.js';
import { slurmScript } from '../sweep/slurm-script.js';
import { sweepPlanTable } from '../sweep/sweep-plan-table.js';
import { sweepTable } from '../sweep/sweep-table.js';
import { untilStopped } from '../command-line/until-stopped.js';
import { STAGES } from './train.js';

interface SweepFlags extends Omit<SweepRequest, 'stage'>, Shorthands {
  json?: true;
  dryRun?: boolean;
  over?: 'mpi' | 'slurm';
  only?: Part;
}

const HELP = `
Runs every combination, each in runs/<name>/<combination>/ as the command itself would run it there:
  lethe sweep unlearn --vary optimizer.lr=1e-5,5e-5 --vary objective.weights.forgetting=0.01,0.1
The same command again leaves finished runs alone, resumes the others, and tries failed ones again.
Results are in runs/<name>/sweep.json and sweep.csv.

Several runs at once (docs/sweep.md):
  mpirun -np 4 npx lethe sweep unlearn --vary seed=1,2,3,4 --over mpi
  npx lethe sweep unlearn --vary seed=1,2,3,4 --over slurm | sbatch --time=2:00:00`;

/** `lethe sweep`: a training command over combinations of values. */
export function addSweepCommand(program: Command, context: CliContext): void {
  const command = program
    .command('sweep')
    .description('run a training command for every combination of values, and show which runs to choose from')
    .addArgument(new Argument('<command>', 'the training command').choices(Object.keys(STAGES)));
  const over = 'mpi: every process of mpirun takes runs of its own; slurm: print a script for sbatch, a task a run';
  addShorthands(addRecipeOptions(command, '<command>.yaml'))
    .addOption(repeatable('--vary <key=value,value>', 'values that one key of the recipe takes'))
    .option('--sweep <file>', 'YAML file of such lists, `key: [value, value]`')
    .option('--name <name>', 'folder of the sweep in `runs` (default: the name in the recipe, and -sweep)')
    .addOption(new Option('--over <what>', over).choices(['mpi', 'slurm']))
    .addOption(new Option('--only <i/n>', 'the i-th of n parts of the runs, without the table').argParser(part))
    .option('--dry-run', 'print the runs with their sizes and memory, and do nothing')
    .option(...JSON_OPTION)
    .addHelpText('after', HELP)
    .action(async (stage: string, flags: SweepFlags) => {
      const request = { ...flags, set: changesOf(flags), stage };
      const plan = planSweep(request);
      if (flags.only && flags.over) throw new UsageError('--only and --over: the one is what the other does; give one');
      if (flags.dryRun) process.stdout.write(`${await sweepPlanTable(plan)}\n`);
      else if (flags.over === 'slurm') await printScript(plan, request, context);
      else await sweep(plan, flags, context);
    });
}

/** What can be told before the job begins is told here. */
async function printScript(plan: SweepPlan, request: SweepRequest, context: CliContext): Promise<void> {
  await checkSweep(plan, context.logger());
  process.stdout.write(slurmScript(plan, request, process.argv.slice(0, 2)));
}

async function sweep(plan: SweepPlan, { over, only, json }: SweepFlags, context: CliContext): Promise<void> {
  const logger = context.logger();
  const ranks = over === 'mpi' ? openCollectives(Infinity) : alone; // runs may take days
  if (over === 'mpi' && ranks.size === 1) logger.warn('--over mpi: this is one process; mpirun -np N starts more');
  await untilStopped(context, async (stop) => {
    const { stopped, numRuns, numFailed, results } = await runSweep(plan, { logger, stop, ranks, only });
    if (stopped) return stopped;
    if (results) {
      printResults(results, sweepTable(results), json);
      logger.info(`every number is in ${join(plan.folder, 'sweep.json')} and sweep.csv`);
    }
    if (only) logger.info(`this part is done; the same command without --only makes the table of all`);
    if (numFailed > 0) {
      const where = only ? 'their manifests say' : 'sweep.json says';
      logger.error(`${numFailed} of ${numRuns} runs failed; ${where} why`);
      context.exitCode = EXIT_CODES.failed;
      ranks.failedTogether();
    }
    return undefined;
  });
}
