import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  baselm,
  cloneLlama,
  initializeLlama,
  type Llama,
  type LlamaConfig,
  loadLlama,
  readConfig,
  type SaveOptions,
  saveLlama,
} from '@lethe/model';
import { loadTokenizer, modelFolder, type Tokenizer } from '@lethe/data-pipeline';
import {
  latestCheckpoint,
  type Logger,
  openMetrics,
  openRunManifest,
  openTensorBoard,
  readMetrics,
  saveCheckpoint,
  type StopRequest,
  UserError,
} from '@lethe/run';
import { resetPeakMemory, setNumThreads, useDevice } from '@lethe/tensor';
import { describeData } from './describe-data.js';
import { requireMemory, type StepSize } from './memory-estimate.js';
import { Optimizer } from './optimizer.js';
import type { TrainRecipe } from './recipe.js';
import { dataHash, recipeHash } from './recipe-hash.js';
import { pinRecipe } from './pin-recipe.js';
import { digestStart, requireSameStart, type StartFiles } from './start-files.js';
import type { StepContext } from './step.js';
import { openStreams } from './streams.js';
import { type StepRecord, train, type TrainingEnd } from './trainer.js';
import { readMoments, readTrainingState, writeTrainingState } from './training-state.js';

/** What a stage needs beside its recipe. */
export interface StageOptions {
  logger: Logger;
  stop?: StopRequest;
  /** The command line, for the manifest. */
  command?: string[];
  versions?: Record<string, string>;
}

/** Where a finished or stopped stage left its results. */
export interface StageResult extends TrainingEnd {
  folder: string;
  /** The trained model in the Hugging Face layout; there when the stage has finished. */
  model: string;
  wasFinished: boolean;
}

/** The folder of a run and of the model it makes. */
export function stageFolders(recipe: TrainRecipe): { folder: string; checkpoints: string; model: string } {
  const folder = join(recipe.runs, recipe.name);
  return { folder, checkpoints: join(folder, 'checkpoints'), model: join(folder, 'model') };
}

/**
 * Runs one training stage from its recipe: starts it, or continues it from its newest checkpoint. A finished run is
 * left alone.
 * @throws UserError on bad input, naming the file or key; NonFiniteError when a loss stops being a number.
 */
export async function runStage(given: TrainRecipe, options: StageOptions): Promise<StageResult> {
  const { logger } = options;
  const recipe = await pinRecipe(given, logger);
  const { folder, checkpoints, model: out } = stageFolders(recipe);
  const { checkpoint, warnings } = latestCheckpoint(checkpoints);
  for (const warning of warnings) logger.warn(warning);
  const state = checkpoint && readTrainingState(checkpoint.path);
  if (state && state.recipeHash !== recipeHash(recipe)) {
    throw new UserError(
      `${folder} holds a run of another recipe; choose another name, or remove the folder to start again`,
    );
  }
  const startFiles = digestStart(recipe);
  if (state?.startFiles && startFiles) {
    requireSameStart({ began: state.startFiles, now: startFiles }, recipe.model.init!, folder);
  }
  if (state?.step === recipe.steps && existsSync(join(out, 'config.json'))) {
    logger.info(`${folder} is finished (${state.step} steps); nothing to do`);
    return { step: state.step, folder, model: out, wasFinished: true };
  }
  if (state && state.dataHash !== dataHash(recipe)) {
    throw new UserError(
      `the shards of ${folder} have changed since it began; restore them, choose another name, or remove the folder to start again`,
    );
  }
  if (recipe.threads) setNumThreads(recipe.threads);
  const { device, reason } = await useDevice(recipe.device, recipe.precision);
  if (reason) logger.warn(`${recipe.device} takes ${device}: ${reason}`);
  resetPeakMemory(); // An earlier run of this process had its own.
  const seeds = { seed: recipe.seed };
  const resumed = checkpoint && { ...checkpoint, step: state!.step };
  const prepared = await prepareStage({ ...recipe, device }, resumed?.path);
  const { versions = {}, command } = options;
  const data = await describeData(recipe);
  const manifest = openRunManifest(folder, { name: recipe.name, recipe, seeds, versions, data, command });
  try {
    const end = await runLoop(recipe, prepared, { ...options, startFiles, startStep: resumed?.step ?? 0 });
    if (!end.stoppedBy) await saveLlama(prepared.context.model, out, { ...prepared.save, replace: true });
    manifest.finish(end.stoppedBy ? `stopped by ${end.stoppedBy}` : 'finished');
    return { ...end, folder, model: out, wasFinished: false };
  } catch (error) {
    manifest.finish(`failed: ${(error as Error).message}`);
    throw error;
  } finally {
    prepared.dispose();
  }
}

interface Prepared {
  context: StepContext;
  optimizer: Optimizer;
  save: SaveOptions;
  streams: Awaited<ReturnType<typeof openStreams>>;
  dispose(): void;
}

/** Loads models, optimizer and data. `resumeFrom` is a checkpoint folder. */
async function prepareStage(recipe: TrainRecipe, resumeFrom?: string): Promise<Prepared> {
  const { init: from, tokenizer: tokenizerOf } = recipe.model;
  const init = from && (await modelFolder(from));
  const tokenizerFrom = init ?? (tokenizerOf && (await modelFolder(tokenizerOf, { weights: false })));
  const tokenizer = tokenizerFrom ? await loadTokenizer(tokenizerFrom) : undefined;
  const config = init ? readConfig(join(init, 'config.json')).config : freshConfig(recipe, tokenizer);
  checkSizes(recipe, config, tokenizer?.vocabSize);
  if (recipe.device === 'lethe-cuda') requireMemory(config, stepSize(recipe));
  const streams = await openStreams(recipe, { tokenizerHash: tokenizer?.hash, vocabSize: config.vocabSize });
  const start = init ? loadLlama(init) : undefined;
  const { mitigation } = recipe.objective.weights;
  const needsOriginal = recipe.stage === 'unlearn' && mitigation > 0;
  const original = needsOriginal ? cloneLlama(start!.model) : undefined;
  const model = startModel(recipe, { start: start?.model, config, resumeFrom });
  const optimizer = new Optimizer(model.parameters, recipe.optimizer);
  if (resumeFrom) readMoments(resumeFrom, optimizer);
  const weights = recipe.stage === 'unlearn' ? recipe.objective.weights : { forgetting: 0, replay: 1, mitigation: 0 };
  const context = { model, original, objective: { ...recipe.objective, weights }, recompute: recipe.model.recompute };
  const dispose = (): void => {
    optimizer.dispose();
    model.dispose();
    original?.dispose();
  };
  return { context, optimizer, save: { rawConfig: start?.rawConfig, tokenizerFrom }, streams, dispose };
}

interface StartFrom {
  start?: Llama;
  config: LlamaConfig;
  resumeFrom?: string;
}

function startModel(recipe: TrainRecipe, { start, config, resumeFrom }: StartFrom): Llama {
  if (!resumeFrom) return start ?? initializeLlama(config, recipe.seed);
  start?.dispose();
  return loadLlama(join(resumeFrom, 'model')).model;
}

function freshConfig(recipe: TrainRecipe, tokenizer?: Tokenizer): LlamaConfig {
  const sizes = recipe.model.config!;
  const vocabSize = sizes.vocabSize ?? tokenizer?.vocabSize;
  if (vocabSize === undefined) throw new UserError('a fresh model needs model.config.vocabSize or model.tokenizer');
  const numKeyValueHeads = sizes.numKeyValueHeads ?? sizes.numHeads;
  if (sizes.hiddenSize % sizes.numHeads !== 0 || sizes.numHeads % numKeyValueHeads !== 0) {
    throw new UserError('model.config: hiddenSize must be a multiple of numHeads, and numHeads of numKeyValueHeads');
  }
  const ids = { bosTokenId: tokenizer?.special.bos ?? null, eosTokenIds: tokenizer?.special.stops ?? [] };
  return baselm({ ...sizes, vocabSize, numKeyValueHeads, headDim: sizes.hiddenSize / sizes.numHeads, ...ids });
}

function stepSize({ batch, data, model, objective, precision, stage }: TrainRecipe): StepSize {
  return {
    rows: batch.replayRows + batch.forgetRows,
    length: data.rowLength,
    hasOriginal: stage === 'unlearn' && objective.weights.mitigation > 0,
    recompute: model.recompute,
    bf16: precision === 'bf16',
  };
}

function checkSizes(recipe: TrainRecipe, config: LlamaConfig, tokenizerVocab?: number): void {
  if (recipe.data.rowLength > config.maxPositions) {
    throw new UserError(
      `data.rowLength is ${recipe.data.rowLength}, and the model's context only ${config.maxPositions}`,
    );
  }
  if (tokenizerVocab !== undefined && tokenizerVocab > config.vocabSize) {
    throw new UserError(`the tokenizer has ${tokenizerVocab} ids, and the model only ${config.vocabSize}`);
  }
}

async function runLoop(
  recipe: TrainRecipe,
  prepared: Prepared,
  options: StageOptions & { startFiles?: StartFiles; startStep: number },
): Promise<TrainingEnd> {
  const { folder, checkpoints } = stageFolders(recipe);
  const { startFiles, startStep, logger, stop } = options;
  if (startStep > 0) logger.info(`resuming ${folder} after step ${startStep}`);
  const metrics = openMetrics(join(folder, 'metrics.jsonl'), startStep + 1);
  const board = openTensorBoard(join(folder, 'tensorboard'), startStep + 1);
  const { context, optimizer, streams, save } = prepared;
  const onStep = (record: StepRecord): void => {
    if (record.step % recipe.metrics.every !== 0 && record.step !== recipe.steps) return;
    metrics.write(record);
    const numbers = Object.entries(record).filter(
      (entry): entry is [string, number] => typeof entry[1] === 'number' && entry[0] !== 'step',
    );
    board.scalars(record.step, Object.fromEntries(numbers));
  };
  const saveStep = async (step: number): Promise<void> => {
    const state = { step, recipeHash: recipeHash(recipe), dataHash: dataHash(recipe), startFiles };
    const write = (temporary: string): Promise<void> =>
      writeTrainingState(temporary, { model: context.model, optimizer, save }, state);
    await saveCheckpoint(checkpoints, step, write, { keep: recipe.checkpoint.keep });
  };
  try {
    return await train({ recipe, context, optimizer, streams, logger, stop, onStep, save: saveStep }, startStep);
  } finally {
    metrics.close();
    board.close();
  }
}

/** The metrics of a run, for tables and figures. */
export function stageMetrics(folder: string): ReturnType<typeof readMetrics> {
  const file = join(folder, 'metrics.jsonl');
  return existsSync(file) && readFileSync(file).length > 0 ? readMetrics(file) : [];
}
