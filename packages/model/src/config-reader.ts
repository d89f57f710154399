import { readFileSync } from 'node:fs';
import { ConfigError, type LlamaConfig, type ModelFamily, type RopeScaling, type WeightDtype } from './config.js';
import { ConfigKeys } from './config-keys.js';
import { showValue } from './show-value.js';

const FAMILIES: Readonly<Record<string, ModelFamily>> = {
  LlamaForCausalLM: 'llama',
  MistralForCausalLM: 'mistral',
  Qwen2ForCausalLM: 'qwen2',
  Qwen3ForCausalLM: 'qwen3',
};
const DTYPES: readonly unknown[] = ['float32', 'float16', 'bfloat16'] satisfies WeightDtype[];

/**
 * Reads a Hugging Face `config.json`.
 *
 * @throws ConfigError naming file and key: unreadable, unsupported (architecture, activation, rope type, quantisation)
 * or contradictory sizes.
 */
export function readConfig(file: string): { config: LlamaConfig; rawConfig: Record<string, unknown> } {
  let rawConfig: unknown;
  try {
    rawConfig = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new ConfigError(`${file}: cannot read the model's config: ${(cause as Error).message}`, { cause });
  }
  if (typeof rawConfig !== 'object' || rawConfig === null || Array.isArray(rawConfig)) {
    throw new ConfigError(`${file}: expected a mapping, received ${showValue(rawConfig)}`);
  }
  return { config: parseConfig(rawConfig as Record<string, unknown>, file), rawConfig: rawConfig as never };
}

/**
 * Parses the content of a Hugging Face `config.json`, of transformers 4 (`rope_theta`, `rope_scaling`) or 5
 * (`rope_parameters`). Absent keys get the defaults of the architecture's class in transformers; sizes are required.
 *
 * @throws ConfigError naming `where` and the key.
 */
export function parseConfig(raw: Readonly<Record<string, unknown>>, where = 'config.json'): LlamaConfig {
  const keys = new ConfigKeys(raw, where);
  const family = readFamily(keys);
  refuseUnsupported(keys);
  const hiddenSize = keys.integer('hidden_size');
  const numHeads = keys.integer('num_attention_heads');
  const numLayers = keys.integer('num_hidden_layers');
  const eosTokenIds = keys.tokenIds('eos_token_id');
  const attentionBias = family === 'qwen2' || (family !== 'mistral' && keys.flag('attention_bias', false));
  return {
    family,
    vocabSize: keys.integer('vocab_size'),
    hiddenSize,
    intermediateSize: keys.integer('intermediate_size'),
    numLayers,
    numHeads,
    numKeyValueHeads: readKeyValueHeads(keys, family, numHeads),
    headDim: readHeadDim(keys, family, hiddenSize / numHeads),
    rmsNormEps: keys.positive('rms_norm_eps', 1e-6),
    ...readRope(keys),
    maxPositions: keys.integer('max_position_embeddings'),
    tieEmbeddings: keys.flag('tie_word_embeddings', false),
    attentionBias,
    attentionOutputBias: attentionBias && family !== 'qwen2',
    mlpBias: family === 'llama' && keys.flag('mlp_bias', false),
    slidingWindow: readSlidingWindow(keys, family, numLayers),
    qkNorm: family === 'qwen3',
    bosTokenId: keys.tokenIds('bos_token_id')[0] ?? null,
    eosTokenIds,
    initializerRange: keys.positive('initializer_range', 0.02),
    dtype: readDtype(keys),
  };
}

function readFamily(keys: ConfigKeys): ModelFamily {
  const architectures = keys.get('architectures');
  if (architectures !== undefined) {
    const name: unknown = Array.isArray(architectures) && architectures.length === 1 ? architectures[0] : undefined;
    if (typeof name === 'string' && Object.hasOwn(FAMILIES, name)) return FAMILIES[name];
    keys.refuse('architectures', `one of ${Object.keys(FAMILIES).join(', ')}`, architectures);
  }
  const modelType = keys.get('model_type');
  const family = Object.values(FAMILIES).find((known) => known === modelType);
  return family ?? keys.refuse('model_type', `one of ${Object.values(FAMILIES).join(', ')}`, modelType);
}

function refuseUnsupported(keys: ConfigKeys): void {
  const activation = keys.get('hidden_act') ?? 'silu';
  if (activation !== 'silu' && activation !== 'swish') keys.refuse('hidden_act', '"silu"', activation);
  const quantization = keys.get('quantization_config');
  if (quantization !== undefined) keys.refuse('quantization_config', 'weights that are not quantised', quantization);
  const rotaryShare = keys.get('partial_rotary_factor') ?? 1;
  if (rotaryShare !== 1) keys.refuse('partial_rotary_factor', '1 (whole heads are rotated)', rotaryShare);
}

function readKeyValueHeads(keys: ConfigKeys, family: ModelFamily, numHeads: number): number {
  const numKeyValueHeads = keys.integer('num_key_value_heads', family === 'llama' ? { fallback: numHeads } : {});
  if (numHeads % numKeyValueHeads !== 0) {
    keys.refuse('num_key_value_heads', `a divisor of num_attention_heads ${numHeads}`, numKeyValueHeads);
  }
  return numKeyValueHeads;
}

function readHeadDim(keys: ConfigKeys, family: ModelFamily, hiddenPerHead: number): number {
  const given = keys.get('head_dim') ?? (family === 'qwen3' ? 128 : undefined);
  if (given === undefined && !Number.isInteger(hiddenPerHead)) {
    keys.refuse('hidden_size', 'a multiple of num_attention_heads, or a head_dim', keys.get('hidden_size'));
  }
  const headDim = keys.integer('head_dim', { fallback: (given as number | undefined) ?? hiddenPerHead });
  if (headDim % 2 !== 0) keys.refuse('head_dim', 'an even number (heads are rotated in pairs)', headDim);
  return headDim;
}

function readRope(keys: ConfigKeys): { ropeTheta: number; ropeScaling: RopeScaling | null } {
  const parameters = keys.nested('rope_parameters');
  const scaling = parameters ?? keys.nested('rope_scaling');
  const thetaKeys = parameters?.has('rope_theta') ? parameters : keys;
  return {
    ropeTheta: thetaKeys.positive('rope_theta', 10000),
    ropeScaling: scaling ? readRopeScaling(scaling, keys) : null,
  };
}

function readRopeScaling(scaling: ConfigKeys, keys: ConfigKeys): RopeScaling | null {
  const key = scaling.get('rope_type') === undefined && scaling.get('type') !== undefined ? 'type' : 'rope_type';
  const kind = scaling.get(key) ?? 'default';
  const rotaryShare = scaling.get('partial_rotary_factor') ?? 1;
  if (rotaryShare !== 1) scaling.refuse('partial_rotary_factor', '1 (whole heads are rotated)', rotaryShare);
  if (kind === 'default') return null;
  if (kind === 'linear' || kind === 'dynamic') return { kind, factor: scaling.positive('factor') };
  if (kind !== 'llama3') return scaling.refuse(key, '"default", "linear", "dynamic" or "llama3"', kind);
  const lowFreqFactor = scaling.positive('low_freq_factor');
  const highFreqFactor = scaling.positive('high_freq_factor');
  if (highFreqFactor <= lowFreqFactor) {
    scaling.refuse('high_freq_factor', `more than low_freq_factor ${lowFreqFactor}`, highFreqFactor);
  }
  const originalMaxPositions = scaling.integer('original_max_position_embeddings', {
    fallback: keys.integer('max_position_embeddings'),
  });
  return { kind, factor: scaling.positive('factor'), lowFreqFactor, highFreqFactor, originalMaxPositions };
}

/** Qwen may put a window on some of its layers only, which Lethe does not compute. */
function readSlidingWindow(keys: ConfigKeys, family: ModelFamily, numLayers: number): number | null {
  if (family === 'llama') return null;
  if (family === 'mistral') {
    if (!keys.has('sliding_window')) return 4096;
    return keys.get('sliding_window') === undefined ? null : keys.integer('sliding_window');
  }
  if (!keys.flag('use_sliding_window', false)) return null;
  const numFullLayers = keys.integer('max_window_layers', { fallback: 28, minimum: 0 });
  if (numFullLayers >= numLayers) return null;
  if (numFullLayers === 0) return keys.integer('sliding_window', { fallback: 4096 });
  const expected = `0 or at least num_hidden_layers ${numLayers} when use_sliding_window is true (all layers alike)`;
  return keys.refuse('max_window_layers', expected, numFullLayers);
}

function readDtype(keys: ConfigKeys): WeightDtype {
  const key = keys.get('dtype') === undefined ? 'torch_dtype' : 'dtype';
  const dtype = keys.get(key) ?? 'float32';
  return DTYPES.includes(dtype) ? (dtype as WeightDtype) : keys.refuse(key, DTYPES.join(', '), dtype);
}
