import { isHubLocation, loadTokenizer, modelFolder } from '@lethe/data-pipeline';
import { baselm, countParameters, type LlamaConfig, readConfig } from '@lethe/model';
import type { TrainRecipe } from '@lethe/train';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';

const GIB = 2 ** 30;

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

/** fp32 values kept per token of a micro-batch between the forward and the backward pass. */
function activationsPerToken(config: LlamaConfig, isRecomputed: boolean): number {
  const { hiddenSize: D, intermediateSize: F, numHeads: H, numKeyValueHeads: K, headDim, numLayers } = config;
  const perLayer = 4 * D + 3 * H * headDim + 2 * K * headDim + 3 * F;
  return isRecomputed ? numLayers * D + perLayer : numLayers * perLayer;
}

/** Bytes a run needs at most, by what needs them. */
function memoryOf(recipe: TrainRecipe, config: LlamaConfig): Record<string, number> {
  const parameters = countParameters(config);
  const { replayRows, forgetRows } = recipe.batch;
  const tokens = (replayRows + forgetRows) * recipe.data.rowLength;
  const hasOriginal = recipe.stage === 'unlearn' && recipe.objective.weights.mitigation > 0;
  const headRows = Math.min(tokens, Math.max(256, Math.floor((64 << 20) / (4 * config.vocabSize))));
  return {
    'weights, gradients and moments': parameters * 16,
    'original model': hasOriginal ? parameters * 4 : 0,
    activations: tokens * activationsPerToken(config, recipe.model.recompute) * 4,
    'head chunk': headRows * config.vocabSize * 4 * (hasOriginal ? 2 : 1),
  };
}

/** What `--dry-run` prints: the recipe with every default, then sizes and memory. */
export async function planOf(recipe: TrainRecipe): Promise<string> {
  const { batch, data, steps } = recipe;
  const perStep = (batch.replayRows + batch.forgetRows) * batch.accumulate * data.rowLength;
  const lines = [stringify(recipe).trimEnd(), '---'];
  const config = await configOf(recipe);
  if (config && config.vocabSize > 0) {
    const memory = Object.entries(memoryOf(recipe, config)).filter(([, bytes]) => bytes > 0);
    const total = memory.reduce((sum, [, bytes]) => sum + bytes, 0);
    lines.push(`parameters: ${countParameters(config).toLocaleString('en')}`);
    lines.push(`memory (fp32, estimated): ${(total / GIB).toFixed(2)} GiB`);
    for (const [name, bytes] of memory) lines.push(`  ${name}: ${(bytes / GIB).toFixed(2)} GiB`);
  } else {
    lines.push('parameters: known once the checkpoint or the vocabulary is there');
  }
  lines.push(`tokens per step: ${perStep.toLocaleString('en')}, of the run: ${(perStep * steps).toLocaleString('en')}`);
  return lines.join('\n');
}
