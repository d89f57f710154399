import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readRunManifest, type RunManifest } from '@lethe/run';
import { decidingPart, differingKeys, leavesOf, stageMetrics, stageValidations, type TrainRecipe } from '@lethe/train';
import { frontOf, type Measure, measuresOf, type StartAndEnd } from './unlearning-measures.js';

import { onFront } from './pareto.js';

/** One run as its own files tell it. */
export interface SweptRun extends StartAndEnd {
  run: string;
  folder: string;
  /** The keys of the recipe in which the runs differ. */
  values: Record<string, unknown>;
  /** `exceeded`: it passed a limit of `stop`, so its model is no result. */
  outcome: 'finished' | 'exceeded' | 'failed' | 'stopped' | 'unfinished';
  /** Why it failed, or ended before its last step. */
  reason?: string;
  /** Steps recorded, of how many. */
  step: number;
  steps: number;
  /** Whether no other finished run is as good in every measure of the front and better in one. */
  onFront: boolean;
}

/** What `sweep.json` holds. */
export interface SweepResults {
  name: string;
  /** The keys of the recipe in which the runs differ. */
  keys: string[];
  /** The measures that the front weighs: those that every finished run has, held-out ones before those of training. */
  front: Measure[];
  runs: SweptRun[];
}

interface RunFiles {
  run: string;
  folder: string;
  manifest: RunManifest;
  recipe: TrainRecipe;
  leaves: Map<string, unknown>;
}

/** Everything that is known of the sweep in `folder`, from the manifests and metrics of its runs and nothing else. */
export function readSweep(folder: string): SweepResults {
  const files = readRuns(folder);
  const keys = differingKeys(files.map(({ leaves }) => leaves));
  const ordered = files.sort((a, b) => byValues(keys, a, b)); // whoever ran them when
  const measured = ordered.map((file) => describe(file, keys));
  const finished = measured.filter(({ outcome }) => outcome === 'finished');
  const front = frontOf(finished.map(({ end }) => end));
  const isOnFront = onFront(finished.map(({ end }) => front.map((axis) => end[axis]!)));
  const best = new Set(finished.filter((_, i) => front.length > 0 && isOnFront[i]));
  return { name: basename(folder), keys, front, runs: measured.map((run) => ({ ...run, onFront: best.has(run) })) };
}

function readRuns(folder: string): RunFiles[] {
  const names = readdirSync(folder).filter((name) => existsSync(join(folder, name, 'manifest.json')));
  return names.sort().map((run) => {
    const manifest = readRunManifest(join(folder, run));
    const recipe = manifest.recipe as TrainRecipe;
    return { run, folder: join(folder, run), manifest, recipe, leaves: leavesOf(decidingPart(recipe)) };
  });
}

/** Compares two runs by the values of these keys, one after another: numbers as such, others as texts. */
function byValues(keys: readonly string[], a: RunFiles, b: RunFiles): number {
  for (const key of keys) {
    const [x, y] = [a, b].map(({ leaves }) => leaves.get(key) ?? null);
    const [first, second] = [x, y].map((value) => JSON.stringify(value));
    if (first === second) continue;
    return typeof x === 'number' && typeof y === 'number' ? x - y : first < second ? -1 : 1;
  }
  return 0;
}

function describe({ run, folder, manifest, recipe, leaves }: RunFiles, keys: string[]): Omit<SweptRun, 'onFront'> {
  const records = stageMetrics(folder);
  return {
    run,
    folder,
    values: Object.fromEntries(keys.map((key) => [key, leaves.get(key) ?? null])),
    ...outcomeOf(manifest),
    step: records.at(-1)?.step ?? 0,
    steps: recipe.steps,
    ...measuresOf(records, stageValidations(folder), recipe),
  };
}

/** How a run's last launch ended. */
export function outcomeOf({ launches }: RunManifest): Pick<SweptRun, 'outcome' | 'reason'> {
  const [, how, reason] =
    /^(finished|exceeded|failed|stopped)(?:: ([\s\S]*))?/.exec(launches.at(-1)?.outcome ?? '') ?? [];
  return { outcome: (how ?? 'unfinished') as SweptRun['outcome'], ...(reason !== undefined && { reason }) };
}
