import { existsSync, realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { isHubLocation } from '@lethe/data-pipeline';
import { type MetricsRecord, readRunManifest, type RunManifest } from '@lethe/run';
import { stageMetrics, type TrainRecipe } from '@lethe/train';

/** One training run of a lineage. */
export interface LineageRun {
  folder: string;
  recipe: TrainRecipe;
  manifest: RunManifest;
  metrics: MetricsRecord[];
  /** Evaluations' paths are relative to this folder, as the recipe's are. */
  workingFolder: string;
}

/** Where a model comes from. */
export interface Lineage {
  /** The checkpoint that the first run started from, as its recipe names it; undefined for fresh weights. */
  origin: string | undefined;
  /** Oldest first. */
  runs: LineageRun[];
}

/** Folders between a run's folder and a model in it: `model`, or `checkpoints/step-1/model`. */
const MAX_DEPTH = 3;

/**
 * The runs behind a model, by the manifests of their folders, back to fresh weights or a checkpoint that no run made.
 * @throws UserError when a manifest cannot be read.
 */
export function lineageOf(model: string): Lineage {
  const runs: LineageRun[] = [];
  const seen = new Set<string>();
  let location: string | undefined = model;
  while (location !== undefined && !isHubLocation(location)) {
    const run = runOf(location);
    if (!run || seen.has(run.folder)) break;
    seen.add(run.folder);
    runs.unshift(run);
    const { init } = run.recipe.model;
    location = init === undefined || isHubLocation(init) ? init : existing(init, run.workingFolder);
  }
  return { origin: location, runs };
}

/** The run that made a model; undefined where no folder above has a run's manifest. */
function runOf(model: string): LineageRun | undefined {
  if (!existsSync(model)) return undefined;
  let folder = realpathSync(model);
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    folder = dirname(folder);
    if (!existsSync(join(folder, 'manifest.json')) || existsSync(join(folder, 'config.json'))) continue;
    if (!existsSync(join(folder, 'metrics.jsonl'))) continue;
    const manifest = readRunManifest(folder);
    const recipe = manifest.recipe as TrainRecipe;
    const up = join(recipe.runs, recipe.name)
      .split(/[/\\]/)
      .map(() => '..');
    const workingFolder = resolve(recipe.runs) === recipe.runs ? process.cwd() : resolve(folder, ...up);
    return { folder, recipe, manifest, metrics: stageMetrics(folder), workingFolder };
  }
  return undefined;
}

/** A recipe's path as it is now: relative to where the run was started, or to here. */
function existing(path: string, workingFolder: string): string {
  const there = resolve(workingFolder, path);
  return existsSync(there) ? there : path;
}
