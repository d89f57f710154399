import { join } from 'node:path';
import { loadTokenizer, modelFolder, type Tokenizer } from '@lethe/data-pipeline';
import { baselm, type LlamaConfig, readConfig } from '@lethe/model';
import { UserError } from '@lethe/run';
import { applyForgetSpan, checkForgetSpan, type ForgetSpan } from './forget-span.js';
import { requireMemory, type StepSize } from './memory-estimate.js';
import type { MicroBatch } from './micro-batch.js';
import type { TrainRecipe } from './recipe.js';
import { needsOriginal, requireMethodOnDevice } from './original.js';
import { openStreams, type TrainStreams } from './streams.js';
import { openValidationRows } from './validation-rows.js';

/** What a stage works on, before any weight is loaded. */
export interface StageInputs {
  /** Folder of the checkpoint it starts from; absent for fresh weights. */
  init?: string;
  tokenizerFrom?: string;
  config: LlamaConfig;
  streams: TrainStreams;
  /** What the run is validated on, if it is. */
  validationRows?: MicroBatch[];
  /** Which tokens are forgotten, where that is not all of them. */
  spans: ForgetSpan[];
}

/**
 * Finds the model, tokenizer and shards of a recipe, and checks that they fit each other and the device.
 * @param spanFolder where the shards of `objective.forgetSpan` are kept; without it all tokens are targets.
 * @throws UserError naming the file or key.
 */
export async function openInputs(recipe: TrainRecipe, spanFolder?: string): Promise<StageInputs> {
  const { init: from, tokenizer: tokenizerOf } = recipe.model;
  const init = from && (await modelFolder(from));
  const tokenizerFrom = init ?? (tokenizerOf && (await modelFolder(tokenizerOf, { weights: false })));
  const tokenizer = tokenizerFrom ? await loadTokenizer(tokenizerFrom) : undefined;
  const config = init ? readConfig(join(init, 'config.json')).config : freshConfig(recipe, tokenizer);
  checkSizes(recipe, config, tokenizer?.vocabSize);
  requireMethodOnDevice(recipe);
  if (recipe.device === 'lethe-cuda') requireMemory(config, stepSize(recipe));
  const fit = { tokenizerHash: tokenizer?.hash, vocabSize: config.vocabSize };
  const whole = await openStreams(recipe, fit);
  await checkForgetSpan(recipe, tokenizer);
  if (spanFolder === undefined || recipe.objective.forgetSpan === 'all' || recipe.stage !== 'unlearn') {
    const validationRows = await openValidationRows(recipe, fit);
    return { init, tokenizerFrom, config, streams: whole, validationRows, spans: [] };
  }
  const { recipe: spanned, spans } = await applyForgetSpan(recipe, { folder: spanFolder, tokenizer });
  const validationRows = await openValidationRows(spanned, fit);
  return { init, tokenizerFrom, config, streams: await openStreams(spanned, fit), validationRows, spans };
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
    hasOriginal: needsOriginal({ stage, objective }),
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
