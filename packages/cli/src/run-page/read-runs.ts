import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type MetricsRecord, readRunManifest, type RunManifest, UserError } from '@lethe/run';
import { stageRecords, type TrainRecipe } from '@lethe/train';
import type { Evaluation } from '@lethe/eval';
import { findEvaluations } from '../model-card/find-evaluations.js';
import { lineageOf } from '../model-card/lineage.js';

/** A training run as its own files tell it. */
export interface ReportedRun {
  /** Unlike any other's in the report: the last part of its folder's path, or all of it. */
  name: string;
  folder: string;
  manifest: RunManifest;
  recipe: TrainRecipe;
  metrics: MetricsRecord[];
  /** Results of `lethe eval` for the run's model. */
  evaluations: Evaluation[];
}

/**
 * The runs of the folders, in their order; a folder of runs, such as a sweep's, stands for all of them.
 * @throws UserError where a folder is no run and holds none, or its files cannot be read.
 */
export function readRuns(folders: readonly string[]): ReportedRun[] {
  const runs = folders.flatMap(runFolders);
  const names = runs.map((folder) => basename(folder));
  return runs.map((folder, i) => {
    const manifest = readRunManifest(folder);
    if (!isTraining(manifest.recipe))
      throw new UserError(`${folder}: the manifest has no recipe of a training stage; the report is of training runs`);
    return {
      name: names.indexOf(names[i]) === names.lastIndexOf(names[i]) ? names[i] : folder,
      folder,
      manifest,
      recipe: manifest.recipe,
      metrics: stageRecords(folder),
      evaluations: evaluationsOf(folder),
    };
  });
}

function runFolders(folder: string): string[] {
  if (isRun(folder)) return [folder];
  if (!existsSync(folder)) throw new UserError(`${folder}: no such folder; give the folder of a run, as runs/unlearn`);
  const inside = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && isRun(join(folder, entry.name)))
    .map(({ name }) => join(folder, name));
  if (inside.length > 0) return inside.sort();
  throw new UserError(`${folder}: neither a run nor a folder of runs: no manifest.json in it or in its folders`);
}

const isRun = (folder: string): boolean => existsSync(join(folder, 'manifest.json'));

const isTraining = (recipe: unknown): recipe is TrainRecipe =>
  typeof (recipe as Partial<TrainRecipe> | null)?.stage === 'string';

function evaluationsOf(folder: string): Evaluation[] {
  const run = lineageOf(join(folder, 'model')).runs.at(-1);
  return run ? findEvaluations(run) : [];
}
