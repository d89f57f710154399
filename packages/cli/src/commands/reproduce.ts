import { join } from 'node:path';
import { EXIT_CODES, readRunManifest } from '@lethe/run';
import { runStage, stageRecords } from '@lethe/train';
import type { Command } from 'commander';
import type { CliContext } from '../command-line/context.js';
import { compareMetrics, type Difference } from '../reproduction/compare-metrics.js';
import { planReproduction, type Reproduction } from '../reproduction/plan-reproduction.js';
import { differingSurroundings } from '../reproduction/surroundings.js';
import { weightsDigest } from '../reproduction/weights-digest.js';
import { JSON_OPTION, printResults } from '../command-line/print-results.js';
import { formatTable } from '../command-line/table.js';
import { untilStopped } from '../command-line/until-stopped.js';
import { recordedVersions } from '../command-line/recorded-versions.js';

const HELP = `
Trains the run's recipe, as its manifest holds it, once more into a folder beside it, and compares every measure of every
step and the weights, bit by bit. Start it where the run was started. Exit status 1 where anything differs.
  lethe reproduce runs/unlearn                   into runs/unlearn-again`;

/** `lethe reproduce`: whether a finished run can be made again. */
export function addReproduceCommand(program: Command, context: CliContext): void {
  program
    .command('reproduce')
    .description('make a finished run again from its manifest, and compare the two bit by bit')
    .argument('<run>', 'folder of a finished run')
    .option('--name <name>', "folder of the new run beside it (default: the run's name, and -again)")
    .option(...JSON_OPTION)
    .addHelpText('after', HELP)
    .action(async (folder: string, { name, json }: { name?: string; json?: true }) => {
      const plan = await planReproduction(folder, name);
      await reproduce(plan, context, json);
    });
}

async function reproduce(plan: Reproduction, context: CliContext, isJson?: boolean): Promise<void> {
  const { recipe } = plan;
  const logger = context.logger();
  const command = ['lethe', ...process.argv.slice(2)];
  await untilStopped(context, async (stop) => {
    const result = await runStage(recipe, { logger, stop, command, versions: recordedVersions() });
    if (result.stoppedBy) return { by: result.stoppedBy, after: `step ${result.step} of ${recipe.steps}` };
    const found = await compare(plan, result.folder);
    printResults(found, told(found), isJson);
    if (!found.reproduced) context.exitCode = EXIT_CODES.failed;
    return undefined;
  });
}

/** What is the same and what is not. */
async function compare({ folder, manifest }: Reproduction, again: string) {
  const measures = compareMetrics(stageRecords(folder), stageRecords(again));
  const weights = { was: await weightsDigest(join(folder, 'model')), is: await weightsDigest(join(again, 'model')) };
  const reproduced = measures.numDifferent === 0 && weights.was === weights.is;
  const madeWith = differingSurroundings(manifest.launches.at(-1)!, readRunManifest(again).launches.at(-1)!);
  return { reproduced, run: folder, again, measures, weights, madeWith };
}

/** The same for a terminal. */
function told({ reproduced, run, again, measures, weights, madeWith }: Awaited<ReturnType<typeof compare>>): string {
  const { numValues, numDifferent, first, largest } = measures;
  const lines = [
    reproduced ? `reproduced: ${again} is ${run}` : `not reproduced: ${again} differs from ${run}`,
    `measures  ${numDifferent === 0 ? `${numValues} identical` : `${numDifferent} of ${numValues} differ`}`,
    ...(first ? [`  first   ${difference(first)}`] : []),
    ...(largest ? [`  most    ${difference(largest)}`] : []),
    weights.was === weights.is
      ? `weights   identical, SHA-256 ${weights.was}`
      : `weights   differ, SHA-256 ${weights.was} and ${weights.is}`,
    ...(madeWith.length > 0 ? ['', formatTable(['made with', 'then', 'now'], madeWith)] : []),
  ];
  return lines.join('\n');
}

function difference({ step, key, was, is, relative }: Difference): string {
  const size = Number.isFinite(relative) ? ` (${relative.toExponential(1)} of it)` : '';
  return `${key} at step ${step}: ${was ?? 'none'} then, ${is ?? 'none'} now${size}`;
}
