import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type MetricsRecord, readMetrics } from '@lethe/run';
import type { TrainRecipe } from './recipe.js';
import type { ValidationPoint } from './stop-rules.js';

/** The folder of a run and of the model it makes. */
export function stageFolders(recipe: TrainRecipe): { folder: string; checkpoints: string; model: string } {
  const folder = join(recipe.runs, recipe.name);
  return { folder, checkpoints: join(folder, 'checkpoints'), model: join(folder, 'model') };
}

/** Everything that was recorded of a run; step 0 is the validation before the first step. */
export function stageRecords(folder: string): MetricsRecord[] {
  const file = join(folder, 'metrics.jsonl');
  return existsSync(file) && readFileSync(file).length > 0 ? readMetrics(file) : [];
}

/** What was recorded of a run's steps, without the validation before the first. */
export const stageMetrics = (folder: string): MetricsRecord[] => stageRecords(folder).filter(({ step }) => step > 0);

/** A run's validations, oldest first; `perplexity` and `seconds` are in them too. */
export const stageValidations = (folder: string): (ValidationPoint & Record<string, number>)[] =>
  stageRecords(folder)
    .filter(({ validation }) => validation !== undefined)
    .map(({ step, validation }) => ({ step, ...(validation as Record<string, number>) }));
