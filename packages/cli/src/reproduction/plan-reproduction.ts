import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describeIssues, latestCheckpoint, readRunManifest, type RunManifest, UserError } from '@lethe/run';
import { describeData, digestStart, readTrainingState, type TrainRecipe, trainRecipeSchema } from '@lethe/train';
import { outcomeOf } from '../sweep/read-sweep.js';

/** A run to be made again. */
export interface Reproduction {
  folder: string;
  manifest: RunManifest;
  /** The run's recipe under another name, with the threads that it had. */
  recipe: TrainRecipe;
}

/**
 * What it takes to make the run in `folder` again beside it.
 * @throws UserError unless it has finished, its recipe is one of this version, and its start model and data are there,
 * unchanged.
 */
export async function planReproduction(folder: string, name?: string): Promise<Reproduction> {
  if (!existsSync(join(folder, 'manifest.json')))
    throw new UserError(`${folder}: no manifest.json in it; give the folder of a run, as runs/unlearn`);
  const manifest = readRunManifest(folder);
  const { outcome } = outcomeOf(manifest);
  if (outcome !== 'finished')
    throw new UserError(`${folder} has not finished (${outcome}); only finished runs compare`);
  if (!existsSync(join(folder, 'model')))
    throw new UserError(
      `${folder}: its model is gone, so that there is nothing to compare with; restore ${join(folder, 'model')}`,
    );
  const recipe = recipeOf(manifest, folder, name);
  requireSameStart(recipe, folder);
  await requireSameData(manifest, recipe, folder);
  return { folder, manifest, recipe };
}

function recipeOf(manifest: RunManifest, folder: string, name?: string): TrainRecipe {
  const parsed = trainRecipeSchema.safeParse(manifest.recipe, { reportInput: true });
  if (!parsed.success) {
    const [complaint] = describeIssues(parsed.error.issues, manifest.recipe);
    throw new UserError(
      `${join(folder, 'manifest.json')}: the recipe is not one of this version (${complaint}); use the version that the manifest names`,
    );
  }
  const again = name ?? `${basename(folder)}-again`;
  if (!trainRecipeSchema.shape.name.safeParse(again).success)
    throw new UserError(`--name ${again}: expected the name of a folder in ${dirname(folder)}: letters, digits, . _ -`);
  // Sums run in an order that the number of threads decides.
  const threads = parsed.data.threads ?? manifest.launches.at(-1)?.machine.cores;
  return { ...parsed.data, runs: dirname(folder), name: again, threads };
}

/** The files of the start model, by the run's last checkpoint. */
function requireSameStart(recipe: TrainRecipe, folder: string): void {
  const { checkpoint } = latestCheckpoint(join(folder, 'checkpoints'));
  const began = checkpoint && readTrainingState(checkpoint.path).startFiles;
  const now = began && digestStart(recipe);
  const changed = now && Object.keys(now).find((name) => now[name] !== began[name]);
  if (changed === undefined) return;
  throw new UserError(`${join(recipe.model.init!, changed)} is not the file that ${folder} started from; restore it`);
}

async function requireSameData({ data = [] }: RunManifest, recipe: TrainRecipe, folder: string): Promise<void> {
  const now = await describeData(recipe);
  for (const { role, shards, sha256 } of data) {
    const found = now.find((one) => one.role === role && one.shards === shards);
    if (found?.sha256 === sha256) continue;
    throw new UserError(
      `${shards}: not the ${role} data that ${folder} learned from (SHA-256 of its index ${found?.sha256.slice(0, 12) ?? 'not known'}, then ${sha256.slice(0, 12)}); restore it`,
    );
  }
}
