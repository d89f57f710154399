import { join } from 'node:path';
import { EXIT_CODES, readRunManifest } from '@lethe/run';
import { runStage, stageRecords } from '@lethe/train';
import type { Command } from 'commander';
import type { CliContext } from '../command-line/context.js';
import { compareMetrics, type Difference } from '../reproduction/compare-metrics.js';
import { planReproduction, type Reproduction } from '../reproduction/plan-reproduction.js';
import { differingSurroundings } from '../reproduction/surroundings.js';
import { weightsDigest } from '../reproduction/weights-digest.js';
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
    .addHelpText('after', HELP)
    .action(async (folder: string, { name }: { name?: string }) => {
      const plan = await planReproduction(folder, name);
      await reproduce(plan, context);
    });
}

async function reproduce(plan: Reproduction, context: CliContext): Promise<void> {
  const { recipe } = plan;
  const logger = context.logger();
  const command = ['lethe', ...process.argv.slice(2)];
  await untilStopped(context, async (stop) => {
    const result = await runStage(recipe, { logger, stop, command, versions: recordedVersions() });
    if (result.stoppedBy) return { by: result.stoppedBy, after: `step ${result.step} of ${recipe.steps}` };
    if (!(await compare(plan, result.folder))) context.exitCode = EXIT_CODES.failed;
    return undefined;
  });
}

/** Prints what is the same and what is not. @returns whether all is. */
async function compare({ folder, manifest }: Reproduction, again: string): Promise<boolean> {
  const { numValues, numDifferent, first, largest } = compareMetrics(stageRecords(folder), stageRecords(again));
  const [was, is] = [await weightsDigest(join(folder, 'model')), await weightsDigest(join(again, 'model'))];
  const isSame = numDifferent === 0 && was === is;
  const print = (line: string): boolean => process.stdout.write(`${line}\n`);
  print(isSame ? `reproduced: ${again} is ${folder}` : `not reproduced: ${again} differs from ${folder}`);
  print(`measures  ${numDifferent === 0 ? `${numValues} identical` : `${numDifferent} of ${numValues} differ`}`);
  if (first) print(`  first   ${difference(first)}`);
  if (largest) print(`  most    ${difference(largest)}`);
  print(was === is ? `weights   identical, SHA-256 ${was}` : `weights   differ, SHA-256 ${was} and ${is}`);
  const around = differingSurroundings(manifest.launches.at(-1)!, readRunManifest(again).launches.at(-1)!);
  if (around.length > 0) print(`\n${formatTable(['made with', 'then', 'now'], around)}`);
  return isSame;
}

function difference({ step, key, was, is, relative }: Difference): string {
  const size = Number.isFinite(relative) ? ` (${relative.toExponential(1)} of it)` : '';
  return `${key} at step ${step}: ${was ?? 'none'} then, ${is ?? 'none'} now${size}`;
}
