import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type MetricsRecord, readMetrics, readRunManifest, UserError } from '@lethe/run';
import type { TrainRecipe } from './recipe.js';
import type { ValidationPoint } from './stop-rules.js';

/** The folder of a run and of the model it makes. */
export function stageFolders(recipe: TrainRecipe): { folder: string; checkpoints: string; model: string } {
  const folder = join(recipe.runs, recipe.name);
  return { folder, checkpoints: join(folder, 'checkpoints'), model: join(folder, 'model') };
}

/**
 * Everything that was recorded of a run; step 0 is the validation before the first step.
 * @throws UserError naming the file where a record is damaged, or the last ones of a run that came to its end are lost.
 */
export function stageRecords(folder: string): MetricsRecord[] {
  const file = join(folder, 'metrics.jsonl');
  const records = existsSync(file) ? readMetrics(file) : [];
  const [end, last] = [endedAt(folder), records.at(-1)?.step ?? 0];
  if (end !== undefined && last < end)
    throw new UserError(
      `${file}: ends at step ${last}, and the run ended at step ${end}: records are lost; restore the file, or run it again`,
    );
  return records;
}

/** The step that a run came to its end at, by its recipe or a rule; undefined where it did not, or its manifest cannot be read. */
function endedAt(folder: string): number | undefined {
  if (!existsSync(join(folder, 'manifest.json'))) return undefined;
  try {
    const { launches, recipe } = readRunManifest(folder);
    const outcome = launches.at(-1)?.outcome ?? '';
    const byRule = /^(?:finished|exceeded): at step (\d+) of/.exec(outcome);
    if (byRule) return Number(byRule[1]);
    return outcome === 'finished' ? (recipe as TrainRecipe).steps : undefined;
  } catch (error) {
    if (error instanceof UserError) return undefined; // told by whoever needs the manifest
    throw error;
  }
}

/** What was recorded of a run's steps, without the validation before the first. */
export const stageMetrics = (folder: string): MetricsRecord[] => stageRecords(folder).filter(({ step }) => step > 0);

/** A run's validations, oldest first; `perplexity` and `seconds` are in them too. */
export const stageValidations = (folder: string): (ValidationPoint & Record<string, number>)[] =>
  stageRecords(folder)
    .filter(({ validation }) => validation !== undefined)
    .map(({ step, validation }) => ({ step, ...(validation as Record<string, number>) }));
