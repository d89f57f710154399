import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readRunManifest } from '@lethe/run';
import type { TrainRecipe } from '@lethe/train';
import { count, bytesText, type RunSizes, sizesOf } from '../plan/stage-plan.js';
import { formatTable } from '../command-line/table.js';
import type { SweepPlan } from './plan-sweep.js';
import { outcomeOf } from './read-sweep.js';

function soFar({ runs, name }: TrainRecipe): string {
  const folder = join(runs, name);
  return existsSync(join(folder, 'manifest.json')) ? outcomeOf(readRunManifest(folder)).outcome : 'not begun';
}

const memoryOf = ({ model }: RunSizes): string => (model ? bytesText(model.bytes) : '?');

/** What `--dry-run` prints: a row for each run with its sizes, then what all of them take. */
export async function sweepPlanTable({ folder, runs }: SweepPlan): Promise<string> {
  const sizes: RunSizes[] = [];
  for (const { recipe } of runs) sizes.push(await sizesOf(recipe));
  const rows = runs.map(({ recipe }, i) => [
    recipe.name,
    count(recipe.steps),
    count(sizes[i].tokens),
    memoryOf(sizes[i]),
    soFar(recipe),
  ]);
  const steps = runs.reduce((sum, { recipe }) => sum + recipe.steps, 0);
  const tokens = sizes.reduce((sum, run) => sum + run.tokens, 0);
  const largest = sizes.reduce((a, b) => ((b.model?.bytes ?? 0) > (a.model?.bytes ?? 0) ? b : a));
  return [
    formatTable(['run', 'steps', 'tokens', 'memory', 'so far'], rows),
    `${runs.length} runs in ${folder}, one after another: ${count(steps)} steps, ${count(tokens)} tokens; ` +
      `memory of the largest (estimated): ${memoryOf(largest)}`,
  ].join('\n');
}
