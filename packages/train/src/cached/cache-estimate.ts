import { readsForgetRows, readsReplayRows } from '../original.js';
import { readsOf } from '../reads.js';
import type { TrainRecipe } from '../recipe.js';
import { rowsOfRole } from '../validation-recipe.js';

/** What a run reads of its frozen models, by the sizes of its shards: packing leaves some rows more. */
export interface FrozenReads {
  /** Rows that are read at all, those of validation included. */
  rows: number;
  /** Rows that training and validation read in all. */
  reads: number;
}

/** How many rows of frozen models a run reads, and how often. Reads the indexes of shards. */
export function frozenReads(recipe: TrainRecipe): FrozenReads {
  const { data, validation, steps } = recipe;
  const isRead = { replay: readsReplayRows(recipe), forget: readsForgetRows(recipe) };
  const found = { rows: 0, reads: 0 };
  for (const { role, isHeld, tokens, times } of readsOf(recipe)) {
    if (!isRead[role] || (role === 'replay' && !isHeld)) continue;
    const whole = tokens / data.rowLength;
    found.rows += Math.min(1, times) * whole;
    found.reads += times * whole;
  }
  if (validation && validation.replay.length > 0 && (isRead.replay || isRead.forget)) {
    const rows = rowsOfRole(validation, 'replay');
    found.rows += rows;
    found.reads += rows * (1 + Math.ceil(steps / validation.every));
  }
  return { rows: Math.ceil(found.rows), reads: Math.ceil(found.reads) };
}

/** Bytes that the hidden states of so many rows take on disk. */
export const cacheBytes = (rows: number, { data, precision }: TrainRecipe, hiddenSize: number): number =>
  rows * data.rowLength * hiddenSize * (precision === 'bf16' ? 2 : 4);
