import { join } from 'node:path';
import { loadHead, readConfig } from '@lethe/model';
import { type DeviceName, holdsBf16, resetPeakMemory } from '@lethe/tensor';
import { needsOriginal, readsReplayRows } from '../original.js';
import { together } from '../ranks/together.js';
import type { StageInputs } from '../stage-inputs.js';
import type { StageRun } from '../stage-run.js';
import { buildCache } from './build-cache.js';
import { digestModel } from './cache-folder.js';
import { CachedModel } from '../cached-model.js';
import type { Building } from './compute-rows.js';
import { type FrozenRole, wantedRows } from './wanted-rows.js';

/** The frozen models of a run that ran before. */
export type CachedModels = Partial<Record<FrozenRole, CachedModel>>;

/**
 * Where the recipe says `model.original: cached`: the frozen models that it reads, with what they make of its rows computed
 * where no run has done it before.
 * @throws Interrupted at a signal; UserError where there is no room, or a folder cannot be written to.
 */
export async function openCached(
  { recipe, origin, resumed }: Pick<StageRun, 'recipe' | 'origin' | 'resumed'>,
  inputs: StageInputs,
  device: DeviceName,
  building: Building,
): Promise<CachedModels> {
  const models: CachedModels = {};
  if (recipe.model.original !== 'cached') return models;
  const { init, reference } = recipe.model;
  const known = origin.startFiles ?? {};
  const frozen: { role: FrozenRole; location: string; folder: string; digest: (name: string) => string | undefined }[] =
    [];
  if (needsOriginal(recipe))
    frozen.push({ role: 'original', location: init!, folder: inputs.init!, digest: (name) => known[name] });
  if (reference !== undefined && readsReplayRows(recipe)) {
    const digest = (name: string): string | undefined => known[join(reference, name)];
    frozen.push({ role: 'reference', location: reference, folder: inputs.reference!, digest });
  }
  const step = resumed?.state.step ?? 0;
  for (const { role, location, folder, digest } of frozen) {
    const model = await together(building.ranks, () => digestModel(location, folder, digest));
    const key = { model, device, type: holdsBf16() ? ('bfloat16' as const) : ('float32' as const) };
    const { hiddenSize } = readConfig(join(folder, 'config.json')).config;
    const wanted = wantedRows(role, { recipe, ...inputs, step });
    const stores = await buildCache({ folder, key, width: hiddenSize, wanted }, building);
    models[role] = new CachedModel(await together(building.ranks, () => loadHead(folder)), stores);
  }
  resetPeakMemory(); // of the run's steps, not of this
  return models;
}
