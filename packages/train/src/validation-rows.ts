import { openStream } from '@lethe/data-pipeline';
import { UserError } from '@lethe/run';
import type { MicroBatch } from './micro-batch.js';
import type { TrainRecipe } from './recipe.js';
import type { ShardFit } from './streams.js';
import { rowsOfRole } from './validation-recipe.js';

type Role = 'forget' | 'replay' | 'kept';

/** Decides which rows are measured. Not the recipe's seed: runs of other seeds are measured on the same rows. */
const ROWS_SEED = 1;

/** The rows that a run is validated on, in micro-batches of one role each; those of `kept` are forget rows of their own. */
export interface ValidationRows {
  batches: MicroBatch[];
  kept: MicroBatch[];
}

/**
 * The rows that a run is validated on, in micro-batches no larger than those of training; undefined where the recipe asks
 * for none.
 * @throws UserError when a role's rows have no targets; ShardError when shards are missing or do not fit the model.
 */
export async function openValidationRows(recipe: TrainRecipe, fit: ShardFit): Promise<ValidationRows | undefined> {
  if (!recipe.validation) return undefined;
  const batches = [...(await batchesOfRole(recipe, 'forget', fit)), ...(await batchesOfRole(recipe, 'replay', fit))];
  return { batches, kept: await batchesOfRole(recipe, 'kept', fit) };
}

async function batchesOfRole(recipe: TrainRecipe, role: Role, fit: ShardFit): Promise<MicroBatch[]> {
  const { [role]: parts = [] } = recipe.validation!;
  const rows = rowsOfRole(recipe.validation!, role);
  const as = role === 'kept' ? 'forget' : role;
  const { rowLength, packing } = recipe.data;
  const largest = recipe.batch.replayRows + recipe.batch.forgetRows;
  const total = parts.reduce((sum, { proportion }) => sum + proportion, 0);
  const batches: MicroBatch[] = [];
  for (const { shards, proportion } of parts) {
    const stream = await openStream({ shards, rowLength, packing, seed: ROWS_SEED, ...fit });
    const numRows = Math.min(stream.numRows, Math.max(1, Math.round((rows * proportion) / total)));
    for (let start = 0; start < numRows; start += largest) {
      batches.push({ [as]: await stream.batch(start, Math.min(largest, numRows - start)) });
    }
  }
  if (parts.length > 0 && batches.every((batch) => batch[as]!.numTargets === 0)) {
    throw new UserError(`validation.${role}: the rows have no targets; prepare shards with text or answers`);
  }
  return batches;
}
