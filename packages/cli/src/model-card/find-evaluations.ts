import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Evaluation } from '@lethe/eval';
import type { LineageRun } from './lineage.js';

/**
 * Results of `lethe eval` of a run's model: JSON files in its folder, and in the folders beside it, where `eval` writes
 * unless told otherwise.
 */
export function findEvaluations({ folder, workingFolder }: LineageRun): Evaluation[] {
  const runs = dirname(folder);
  const besides = readdirSync(runs, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const folders = [folder, ...besides.map(({ name }) => join(runs, name)).filter((one) => !isRun(one))];
  const files = folders.flatMap((one) => readdirSync(one).map((name) => join(one, name)));
  const isOfRun = ({ model }: Evaluation): boolean => resolve(workingFolder, model) === join(folder, 'model');
  return files
    .filter((file) => file.endsWith('.json'))
    .flatMap(readEvaluation)
    .filter(isOfRun);
}

const isRun = (folder: string): boolean => existsSync(join(folder, 'manifest.json'));

function readEvaluation(file: string): Evaluation[] {
  let value: Partial<Evaluation> | null;
  try {
    value = JSON.parse(readFileSync(file, 'utf8')) as typeof value;
  } catch {
    return []; // another program's file: the question is only whether it is an evaluation
  }
  return typeof value?.model === 'string' && Array.isArray(value.tasks) ? [value as Evaluation] : [];
}
