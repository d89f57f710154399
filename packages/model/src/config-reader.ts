import { readFileSync } from 'node:fs';
import { readingProblem, requireFile } from '@lethe/run';
import { ConfigError, type LlamaConfig, type ModelFamily, type WeightDtype } from './config.js';
import { ConfigKeys } from './config-keys.js';
import { readRope } from './config-rope.js';
import { FAMILIES, type Family } from './families.js';
import { showValue } from './show-value.js';

const NAMES = Object.keys(FAMILIES) as ModelFamily[];
const DTYPES: readonly unknown[] = ['float32', 'float16', 'bfloat16'] satisfies WeightDtype[];

/**
 * Reads a Hugging Face `config.json`.
 *
 * @throws ConfigError naming file and key: unreadable, unsupported (architecture, activation, rope type, quantisation)
 * or contradictory sizes.
 */
export function readConfig(file: string): { config: LlamaConfig; rawConfig: Record<string, unknown> } {
  requireFile(file);
  let rawConfig: unknown;
  try {
    rawConfig = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new ConfigError(`${file}: cannot read the model's config: ${readingProblem(cause)}`, { cause });
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
  const traits = FAMILIES[family];
  refuseUnsupported(keys);
  const hiddenSize = keys.integer('hidden_size');
  const numHeads = keys.integer('num_attention_heads');
  const numLayers = keys.integer('num_hidden_layers');
  const eosTokenIds = keys.tokenIds('eos_token_id');
  return {
    family,
    vocabSize: keys.integer('vocab_size'),
    hiddenSize,
    intermediateSize: keys.integer('intermediate_size'),
    numLayers,
    numHeads,
    numKeyValueHeads: readKeyValueHeads(keys, traits, numHeads),
    headDim: readHeadDim(keys, traits, hiddenSize / numHeads),
    rmsNormEps: keys.positive('rms_norm_eps', 1e-6),
    ...readRope(keys),
    maxPositions: keys.integer('max_position_embeddings'),
    tieEmbeddings: keys.flag('tie_word_embeddings', false),
    ...traits.readBiases(keys),
    ...traits.readWindows(keys, numLayers),
    qkNorm: traits.qkNorm,
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
    const known = NAMES.find((family) => FAMILIES[family].architecture === name);
    const names = NAMES.map((family) => FAMILIES[family].architecture);
    return known ?? keys.refuse('architectures', `one of ${names.join(', ')}`, architectures);
  }
  const modelType = keys.get('model_type');
  const family = NAMES.find((known) => known === modelType);
  return family ?? keys.refuse('model_type', `one of ${NAMES.join(', ')}`, modelType);
}

function refuseUnsupported(keys: ConfigKeys): void {
  const activation = keys.get('hidden_act') ?? 'silu';
  if (activation !== 'silu' && activation !== 'swish') keys.refuse('hidden_act', '"silu"', activation);
  const quantization = keys.get('quantization_config');
  if (quantization !== undefined) keys.refuse('quantization_config', 'weights that are not quantised', quantization);
  const rotaryShare = keys.get('partial_rotary_factor') ?? 1;
  if (rotaryShare !== 1) keys.refuse('partial_rotary_factor', '1 (whole heads are rotated)', rotaryShare);
}

function readKeyValueHeads(keys: ConfigKeys, { hasDefaultKeyValueHeads }: Family, numHeads: number): number {
  const numKeyValueHeads = keys.integer('num_key_value_heads', hasDefaultKeyValueHeads ? { fallback: numHeads } : {});
  if (numHeads % numKeyValueHeads !== 0) {
    keys.refuse('num_key_value_heads', `a divisor of num_attention_heads ${numHeads}`, numKeyValueHeads);
  }
  return numKeyValueHeads;
}

function readHeadDim(keys: ConfigKeys, { defaultHeadDim }: Family, hiddenPerHead: number): number {
  const given = keys.get('head_dim') ?? defaultHeadDim;
  if (given === undefined && !Number.isInteger(hiddenPerHead)) {
    keys.refuse('hidden_size', 'a multiple of num_attention_heads, or a head_dim', keys.get('hidden_size'));
  }
  const headDim = keys.integer('head_dim', { fallback: (given as number | undefined) ?? hiddenPerHead });
  if (headDim % 2 !== 0) keys.refuse('head_dim', 'an even number (heads are rotated in pairs)', headDim);
  return headDim;
}

function readDtype(keys: ConfigKeys): WeightDtype {
  // It decides nothing but the format that a model is exported in; the file says how its weights are stored.
  const dtype = keys.get('dtype') ?? keys.get('torch_dtype');
  const name = typeof dtype === 'string' ? dtype.replace(/^torch\./, '') : dtype;
  return DTYPES.includes(name) ? (name as WeightDtype) : 'float32';
}
