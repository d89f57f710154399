import { join } from 'node:path';
import { loadTokenizer, modelFolder, type Tokenizer } from '@lethe/data-pipeline';
import { baselm, type LlamaConfig, readConfig } from '@lethe/model';
import { UserError } from '@lethe/run';
import { applyForgetSpan, checkForgetSpan, type ForgetSpan } from './forget-span.js';
import { loraOf, requireRank } from './lora-recipe.js';
import { requireMemory, type StepSize, trainedSizes } from './memory-estimate.js';
import { momentsOfRank } from './ranks/divide-optimizer.js';
import { mostRowsOfRank } from './ranks/share.js';
import type { TrainRecipe } from './recipe.js';
import { frozenParameters, requireMethodOnDevice } from './original.js';
import { openStreams, type TrainStreams } from './streams.js';
import { openValidationRows, type ValidationRows } from './validation-rows.js';

/** What a stage works on, before any weight is loaded. */
export interface StageInputs {
  /** Folder of the checkpoint it starts from; absent for fresh weights. */
  init?: string;
  tokenizerFrom?: string;
  config: LlamaConfig;
  streams: TrainStreams;
  /** What the run is validated on, if it is. */
  validationRows?: ValidationRows;
  /** Folder of the model that the mitigation term holds to, where that is not the original. */
  reference?: string;
  /** Which tokens are forgotten, where that is not all of them. */
  spans: ForgetSpan[];
}

/**
 * Finds the model, tokenizer and shards of a recipe, and checks that they fit each other and the device.
 * @param options `spanFolder`: where the shards of `objective.forgetSpan` are kept; without it all tokens are targets. `ranks`: how
 *   many processes share the step, by default one.
 * @throws UserError naming the file or key.
 */
export async function openInputs(
  recipe: TrainRecipe,
  { spanFolder, ranks = 1 }: { spanFolder?: string; ranks?: number } = {},
): Promise<StageInputs> {
  const { init: from, tokenizer: tokenizerOf } = recipe.model;
  const init = from && (await modelFolder(from));
  const tokenizerFrom = init ?? (tokenizerOf && (await modelFolder(tokenizerOf, { weights: false })));
  const tokenizer = tokenizerFrom ? await loadTokenizer(tokenizerFrom) : undefined;
  const config = init ? readConfig(join(init, 'config.json')).config : freshConfig(recipe, tokenizer);
  checkSizes(recipe, config, tokenizer?.vocabSize);
  const lora = loraOf(recipe);
  if (lora) requireRank(lora, config);
  requireMethodOnDevice(recipe);
  if (recipe.device === 'lethe-cuda') requireMemory(config, stepSize(recipe, config, ranks));
  const reference = await openReference(recipe, config, tokenizer);
  const fit = { tokenizerHash: tokenizer?.hash, vocabSize: config.vocabSize };
  const whole = await openStreams(recipe, fit);
  await checkForgetSpan(recipe, tokenizer);
  if (spanFolder === undefined || recipe.objective.forgetSpan === 'all' || recipe.stage !== 'unlearn') {
    const validationRows = await openValidationRows(recipe, fit);
    return { init, tokenizerFrom, config, reference, streams: whole, validationRows, spans: [] };
  }
  const { recipe: spanned, spans } = await applyForgetSpan(recipe, { folder: spanFolder, tokenizer });
  const validationRows = await openValidationRows(spanned, fit);
  return { init, tokenizerFrom, config, reference, streams: await openStreams(spanned, fit), validationRows, spans };
}

/** The reference's folder. @throws UserError where its vocabulary is another, so that probabilities do not compare. */
async function openReference(
  { model: { reference } }: TrainRecipe,
  config: LlamaConfig,
  tokenizer: Tokenizer | undefined,
): Promise<string | undefined> {
  if (reference === undefined) return undefined;
  const folder = await modelFolder(reference);
  const { vocabSize } = readConfig(join(folder, 'config.json')).config;
  const isSame = tokenizer === undefined || (await loadTokenizer(folder)).hash === tokenizer.hash;
  if (vocabSize === config.vocabSize && isSame) return folder;
  throw new UserError(
    `model.reference: expected the vocabulary and tokenizer of the trained model (${config.vocabSize} ids), received ${reference} with ${vocabSize} ids and ${isSame ? 'the same' : 'another'} tokenizer; take a model of the same lineage`,
  );
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

/** What a step takes in each of several processes. */
export function stepSize(recipe: TrainRecipe, config: LlamaConfig, ranks: number): StepSize {
  const { data, model, precision } = recipe;
  const rows = mostRowsOfRank(recipe, ranks);
  const lora = loraOf(recipe);
  return {
    rows: rows.forget + rows.replay,
    length: data.rowLength,
    frozenParameters: frozenParameters(recipe, config),
    recompute: model.recompute,
    bf16: precision === 'bf16',
    lora,
    moments: momentsOfRank(trainedSizes(config, lora), recipe, ranks),
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
