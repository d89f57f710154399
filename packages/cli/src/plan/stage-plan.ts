import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isHubLocation, loadTokenizer, modelFolder } from '@lethe/data-pipeline';
import { FORGETTING_METHODS } from '@lethe/losses';
import { baselm, type LlamaConfig, type LoraSettings, parameterSizes, readConfig } from '@lethe/model';
import { freeBytes } from '@lethe/run';
import {
  cacheBytes,
  frozenParameters,
  frozenReads,
  loraOf,
  lowRankValues,
  mostRowsOfRank,
  momentsOfRank,
  numFrozen,
  readsForgetRows,
  readsOf,
  heldShare,
  readsReplayRows,
  recipeWarnings,
  trainedSizes,
  type TrainRecipe,
} from '@lethe/train';
import { stringify } from 'yaml';
import { validationLine } from './validation-plan.js';

const GIB = 2 ** 30;

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

async function configOf(recipe: TrainRecipe): Promise<LlamaConfig | undefined> {
  const { init, config, tokenizer } = recipe.model;
  if (init !== undefined) {
    const file = join(await modelFolder(init, { weights: false }), 'config.json');
    return existsSync(file) ? readConfig(file).config : undefined;
  }
  const isThere = tokenizer !== undefined && (isHubLocation(tokenizer) || existsSync(tokenizer));
  const vocabSize = config!.vocabSize ?? (isThere ? (await loadTokenizer(tokenizer)).vocabSize : 0);
  const { hiddenSize, numHeads, numKeyValueHeads = numHeads } = config!;
  return baselm({ ...config!, vocabSize, numKeyValueHeads, headDim: hiddenSize / numHeads });
}

/** Values kept per token of a micro-batch between the forward and the backward pass. */
function activationsPerToken(config: LlamaConfig, isRecomputed: boolean, lora?: LoraSettings): number {
  const { hiddenSize: D, intermediateSize: F, numHeads: H, numKeyValueHeads: K, headDim, numLayers } = config;
  // Both sums, the queries and what they gathered, keys and values, gate and up: norms and products are made again.
  const perLayer = 2 * (D + H * headDim + K * headDim + F) + (lora ? lowRankValues(config, lora) : 0);
  return isRecomputed ? numLayers * D + perLayer : numLayers * perLayer;
}

/** Bytes a process needs at most, one of `ranks`, by what needs them. */
function memoryOf(recipe: TrainRecipe, config: LlamaConfig, ranks: number): Record<string, number> {
  const sizes = parameterSizes(config);
  const lora = loraOf(recipe);
  const trained = trainedSizes(config, lora);
  const rows = mostRowsOfRank(recipe, ranks);
  const tokens = (rows.forget + rows.replay) * recipe.data.rowLength;
  const headRows = Math.min(tokens, Math.max(256, Math.floor((64 << 20) / (4 * config.vocabSize))));
  const comparedRows = readsReplayRows(recipe) ? Math.min(headRows, rows.replay * recipe.data.rowLength) : 0;
  const values = activationsPerToken(config, recipe.model.recompute, lora);
  const passing = {
    activations: tokens * values * heldBytes(recipe),
    'head chunk': (headRows + comparedRows) * config.vocabSize * heldBytes(recipe),
    'logits of forget rows': logitsBytes(recipe, config.vocabSize, rows.forget),
  };
  // A gradient appears where the backward pass has freed what it came from; only another micro-batch finds them all there.
  const gradients = sum(trained) * 4;
  const room = recipe.batch.accumulate > ranks ? 0 : sum(Object.values(passing));
  return {
    ...(lora && { 'weights under the adapter': sum(sizes) * heldBytes(recipe) }),
    [lora ? 'adapter' : 'weights']: sum(trained) * 4,
    'moments of the optimizer': momentsOfRank(trained, recipe, ranks) * 8,
    [frozenName(recipe)]: frozenParameters(recipe, config) * heldBytes(recipe),
    ...passing,
    [room > 0 ? 'gradients, beyond the room that activations leave' : 'gradients']: Math.max(0, gradients - room),
  };
}

/** Bytes of a value that is an activation, or of a frozen matrix. */
const heldBytes = ({ precision }: TrainRecipe): number => (precision === 'bf16' ? 2 : 4);

function frozenName(recipe: TrainRecipe): string {
  if (recipe.model.lora && recipe.model.original !== 'cached') return 'reference model';
  const [name, several] =
    recipe.model.original === 'cached'
      ? ["original's output head", 'output heads of original and reference']
      : ['original model', 'original and reference models'];
  return numFrozen(recipe) > 1 ? several : name;
}

/** What a method beside the fused head holds at most: logits and their gradients, and the original's, of a chunk. */
function logitsBytes({ stage, objective, data }: TrainRecipe, vocabSize: number, forgetRows: number): number {
  const { kind, needsOriginal: reads } = FORGETTING_METHODS[objective.method];
  if (stage !== 'unlearn' || kind !== 'logits') return 0;
  const rows = Math.min(forgetRows * data.rowLength, Math.max(1, Math.floor((64 << 20) / (4 * vocabSize))));
  return rows * vocabSize * 4 * (reads ? 3 : 2);
}

/** Passes of a trained row, in forward ones: two more for the gradients of inputs and of weights, of which an adapter needs the first. */
const passesOf = ({ model: { recompute, lora } }: TrainRecipe): number => (lora ? 2 : 3) + Number(recompute);

/** What the original model costs: its share of a step's time, or room on disk; or that it costs nothing. */
function originalLine(recipe: TrainRecipe, config?: LlamaConfig): string {
  const { replayRows, forgetRows } = recipe.batch;
  const rows =
    (readsReplayRows(recipe) ? heldShare(recipe) * replayRows : 0) + (readsForgetRows(recipe) ? forgetRows : 0);
  const roles = [
    ...(readsReplayRows(recipe) ? [heldShare(recipe) < 1 ? 'held replay' : 'replay'] : []),
    ...(readsForgetRows(recipe) ? ['forget'] : []),
  ];
  if (rows === 0) return 'original model: not needed';
  const trained = passesOf(recipe) * (replayRows + forgetRows);
  const share = ((100 * rows) / (rows + trained)).toFixed(0);
  const pass = `one forward pass over the ${roles.join(' and ')} rows of a step, about ${share}% of its work`;
  if (!config) return `original model: ${pass}`;
  const reading = frozenReads(recipe);
  const disk = `${count(reading.rows)} rows, ${bytesText(cacheBytes(reading.rows, recipe, config.hiddenSize))} beside the shards`;
  const times = (reading.reads / Math.max(1, reading.rows)).toPrecision(2);
  if (recipe.model.original === 'cached') {
    const { shards } = recipe.data.replay[0];
    return `original model: cached: up to ${disk} (${bytesText(freeBytes(shards))} free there), each computed once and read ${times} times; live: ${pass}`;
  }
  const hint =
    reading.reads > reading.rows ? `; model.original: cached computes ${disk}, once instead of ${times} times` : '';
  return `original model: ${pass}${hint}`;
}

/** How large a run is; parameters and memory are known once the checkpoint or the vocabulary is there. */
export interface RunSizes {
  tokensPerStep: number;
  tokens: number;
  model?: { parameters: number; trained: number; memory: Record<string, number>; bytes: number };
}

/** The sizes of a recipe's run: memory of each of `ranks` processes. */
export async function sizesOf(recipe: TrainRecipe, ranks = 1): Promise<RunSizes> {
  const { batch, data, steps } = recipe;
  const tokensPerStep = (batch.replayRows + batch.forgetRows) * batch.accumulate * data.rowLength;
  const sizes = { tokensPerStep, tokens: tokensPerStep * steps };
  const config = await configOf(recipe);
  if (!config || config.vocabSize === 0) return sizes;
  const memory = memoryOf(recipe, config, ranks);
  const parameters = sum(parameterSizes(config));
  const trained = sum(trainedSizes(config, loraOf(recipe)));
  return { ...sizes, model: { parameters, trained, memory, bytes: sum(Object.values(memory)) } };
}

/** Bytes as plans show them. */
export const bytesText = (bytes: number): string =>
  bytes < GIB ? `${(bytes / 2 ** 20).toFixed(1)} MiB` : `${(bytes / GIB).toFixed(2)} GiB`;

/** A count as plans show it. */
export const count = (value: number): string => value.toLocaleString('en');

/** Numbers of ranks whose memory a plan of one process shows. */
const SEVERAL = [2, 4, 8, 16];

/** Memory of each rank, were there several; none where a step has one row. */
async function severalLine(recipe: TrainRecipe): Promise<string[]> {
  const { batch } = recipe;
  const most = (batch.replayRows + batch.forgetRows) * batch.accumulate;
  const counts = SEVERAL.filter((ranks) => ranks <= most);
  const all = await Promise.all(counts.map(async (ranks) => (await sizesOf(recipe, ranks)).model!.bytes));
  const texts = counts.map((ranks, i) => `${bytesText(all[i])} on ${ranks}`);
  return texts.length > 0 ? [`memory of each of several ranks: ${texts.join(', ')} (docs/scaling.md)`] : [];
}

/** What `--dry-run` prints: the recipe with every default, then sizes and memory, of each of `ranks` processes. */
export async function planOf(recipe: TrainRecipe, ranks = 1): Promise<string> {
  const { model, tokensPerStep, tokens } = await sizesOf(recipe, ranks);
  const lines = [stringify(recipe).trimEnd(), '---'];
  if (model) {
    const { parameters, trained } = model;
    const adapter = `, of an adapter that is trained: ${count(trained)}`;
    lines.push(`parameters: ${count(parameters)}${trained < parameters ? adapter : ''}`);
    lines.push(
      `memory${ranks > 1 ? ` of each of ${ranks} ranks` : ''} (${recipe.precision}, estimated): ${bytesText(model.bytes)}`,
    );
    for (const [name, bytes] of Object.entries(model.memory))
      if (bytes > 0) lines.push(`  ${name}: ${bytesText(bytes)}`);
    if (ranks === 1) lines.push(...(await severalLine(recipe)));
  } else {
    lines.push('parameters: known once the checkpoint or the vocabulary is there');
  }
  lines.push(`tokens per step: ${count(tokensPerStep)}, of the run: ${count(tokens)}`);
  for (const { role, shards, tokens, times } of readsOf(recipe))
    lines.push(`data.${role}: ${shards}, ${count(tokens)} tokens, read ${times.toPrecision(2)} times`);
  if (recipe.stage === 'unlearn') lines.push(originalLine(recipe, await configOf(recipe)));
  if (recipe.validation) lines.push(validationLine(recipe, recipe.validation));
  for (const warning of recipeWarnings(recipe)) lines.push(`warning: ${warning}`);
  return lines.join('\n');
}
