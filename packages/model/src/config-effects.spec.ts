import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ModelFamily } from './config.js';
import { CONFIG_EFFECTS } from './config-effects.js';
import { parseConfig } from './config-reader.js';

const file = resolve(__dirname, '../testing/goldens/config-keys.json');
const KEYS = JSON.parse(readFileSync(file, 'utf8')) as Record<ModelFamily, string[]>;

const SCALED = { rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4, rope_theta: 9 };
const BASE: Record<string, unknown> = {
  vocab_size: 64,
  hidden_size: 32,
  intermediate_size: 48,
  num_hidden_layers: 4,
  num_attention_heads: 4,
  num_key_value_heads: 4,
  max_position_embeddings: 128,
  sliding_window: 16,
};

/** A value for each key that differs from what {@link BASE} and the defaults say; other keys get an odd text. */
const OTHER: Record<string, unknown> = {
  architectures: ['GPT2LMHeadModel'],
  attention_bias: true,
  bos_token_id: 7,
  dtype: 'bfloat16',
  eos_token_id: [7],
  head_dim: 16,
  hidden_act: 'gelu',
  hidden_size: 64,
  initializer_range: 0.5,
  intermediate_size: 96,
  layer_types: ['full_attention', 'sliding_attention', 'full_attention', 'full_attention'],
  max_position_embeddings: 256,
  max_window_layers: 2,
  mlp_bias: true,
  model_type: 'gpt2',
  num_attention_heads: 8,
  num_hidden_layers: 2,
  num_key_value_heads: 2,
  original_max_position_embeddings: 64,
  partial_rotary_factor: 0.5,
  quantization_config: { bits: 4 },
  rms_norm_eps: 0.1,
  rope_parameters: { rope_type: 'linear', factor: 2 },
  rope_scaling: { rope_type: 'linear', factor: 2 },
  rope_theta: 77,
  sliding_window: 8,
  tie_word_embeddings: true,
  torch_dtype: 'bfloat16',
  use_sliding_window: true,
  vocab_size: 65,
};

/** What must be there for a key to matter. */
function surroundings(key: string, family: ModelFamily): Record<string, unknown> {
  const isQwen = family.startsWith('qwen');
  if (isQwen && ['layer_types', 'max_window_layers', 'sliding_window'].includes(key)) {
    return { use_sliding_window: true, max_window_layers: 0 };
  }
  if (key === 'use_sliding_window') return { max_window_layers: 0 };
  return key === 'original_max_position_embeddings' ? { rope_scaling: SCALED } : {};
}

describe.each(Object.keys(KEYS) as ModelFamily[])('the keys of %s', (family) => {
  it('are those of its class in transformers, and their effects are known', () => {
    expect(KEYS[family].filter((key) => !Object.hasOwn(CONFIG_EFFECTS[family], key))).toEqual([]);
  });

  it.each(Object.entries(CONFIG_EFFECTS[family]))('have the effect that is told: %s is %s', (key, effect) => {
    const base = { ...BASE, model_type: family, ...surroundings(key, family) };
    const parse = () => parseConfig({ ...base, [key]: OTHER[key] ?? 'odd' });
    if (effect === 'refused' || key === 'architectures' || key === 'model_type') expect(parse).toThrow(key);
    else if (effect === 'none') expect(parse()).toEqual(parseConfig(base));
    else expect(parse()).not.toEqual(parseConfig(base));
  });
});
