import { join } from 'node:path';
import {
  type Adapter,
  cloneLlama,
  initializeAdapter,
  initializeLlama,
  type Llama,
  type LlamaConfig,
  loadLlama,
  readAdapter,
} from '@lethe/model';
import type { Collectives, DeviceName } from '@lethe/tensor';
import { requireFiniteStart } from './non-finite.js';
import { Optimizer } from './optimizer.js';
import { baseOf, loraOf } from './lora-recipe.js';
import type { TrainRecipe } from './recipe.js';
import type { ForgetSpan } from './forget-span.js';
import { type CachedModels, openCached } from './cached/open-cached.js';
import type { Building } from './cached/compute-rows.js';
import { needsOriginal } from './original.js';
import { partsOfRank } from './ranks/divide-optimizer.js';
import { firstAlone, together } from './ranks/together.js';
import { openInputs, type StageInputs } from './stage-inputs.js';
import type { StageRun } from './stage-run.js';
import type { StepContext } from './step.js';
import type { TrainStreams } from './streams.js';
import { weightsOf } from './weight-schedule.js';
import { adapterFolder, readMoments, type SaveModel } from './training-state.js';
import type { ValidationRows } from './validation-rows.js';

/** What a run trains: models, optimizer and data, on the device. */
export interface StageWork {
  context: StepContext;
  optimizer: Optimizer;
  save: SaveModel;
  streams: TrainStreams;
  validationRows?: ValidationRows;
  spans: ForgetSpan[];
  dispose(): void;
}

/**
 * Loads what a run trains, from its checkpoint where it goes on; before that computes what it keeps of frozen models.
 * @throws Interrupted at a signal; UserError naming the file or key.
 */
export async function loadStageWork(run: StageRun, device: DeviceName, building: Building): Promise<StageWork> {
  const { ranks } = building;
  const { recipe, folder } = run;
  const inputs = await firstAlone(ranks, () =>
    openInputs({ ...recipe, device }, { spanFolder: join(folder, 'forget-span'), ranks: ranks.size }),
  );
  const cached = await openCached(run, inputs, device, building);
  return together(ranks, () => loadWork({ recipe, resumed: run.resumed, ranks }, inputs, cached));
}

function loadWork(
  { recipe, resumed, ranks }: Pick<StageRun, 'recipe' | 'resumed'> & { ranks: Collectives },
  inputs: StageInputs,
  cached: CachedModels,
): StageWork {
  const { init, tokenizerFrom, config, streams, validationRows, spans } = inputs;
  const reference = cached.reference ?? liveReference(inputs);
  const trainable = recipe.model.lora === undefined;
  const start = init ? loadLlama(init, { trainable, isChecked: true }) : undefined; // when the run was opened
  if (start) requireFiniteStart(start.model.parameters, init!);
  const original = cached.original ?? (needsOriginal(recipe) ? liveOriginal(recipe, start!.model) : undefined);
  const model = startModel(recipe, { start: start?.model, config, resumeFrom: resumed?.checkpoint });
  const optimizer = new Optimizer(model.trained, recipe.optimizer, partsOfRank(recipe, ranks));
  if (resumed) readMoments(resumed.checkpoint, optimizer);
  const objective = { ...recipe.objective, weights: weightsOf(recipe, (resumed?.state.step ?? 0) + 1) };
  const context = { model, original, reference, objective, recompute: recipe.model.recompute };
  const dispose = (): void => {
    optimizer.dispose();
    model.dispose();
    if (original !== model) original?.dispose();
    reference?.dispose();
  };
  const lora = loraOf(recipe);
  const save = {
    rawConfig: start?.rawConfig,
    tokenizerFrom,
    ...(lora && { lora: { ...lora, base: baseOf(recipe.model.init!) } }),
  };
  return { context, optimizer, save, streams, validationRows, spans, dispose };
}

function liveReference({ reference }: StageInputs): Llama | undefined {
  if (reference === undefined) return undefined;
  const { model } = loadLlama(reference, { trainable: false });
  requireFiniteStart(model.parameters, reference);
  return model;
}

/** A copy of the start model; under an adapter that model itself, which stays as it is. */
const liveOriginal = ({ model: { lora } }: TrainRecipe, start: Llama): Llama => (lora ? start : cloneLlama(start));

interface StartFrom {
  start?: Llama;
  config: LlamaConfig;
  resumeFrom?: string;
}

function startModel(recipe: TrainRecipe, { start, config, resumeFrom }: StartFrom): Llama {
  const lora = loraOf(recipe);
  if (lora) {
    const fresh = (): Adapter => initializeAdapter(start!.config, lora, recipe.seed);
    start!.adapt(resumeFrom ? readAdapter(adapterFolder(resumeFrom), start!.config) : fresh());
    return start!;
  }
  if (!resumeFrom) return start ?? initializeLlama(config, recipe.seed);
  start?.dispose();
  return loadLlama(join(resumeFrom, 'model'), { isChecked: true }).model; // when the newest checkpoint was found
}
