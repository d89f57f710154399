import type { ModelFamily } from './config.js';

/**
 * What Lethe does with a key of `config.json`: `used`; `refused` unless it has the one value that is computed here; `none`,
 * since it changes nothing that is computed (attention_dropout only how transformers trains: Lethe trains without).
 */
export type KeyEffect = 'used' | 'refused' | 'none';

const COMMON: Readonly<Record<string, KeyEffect>> = {
  architectures: 'used',
  attention_dropout: 'none',
  bos_token_id: 'used',
  chunk_size_feed_forward: 'none',
  dtype: 'used',
  eos_token_id: 'used',
  head_dim: 'used',
  hidden_act: 'refused',
  hidden_size: 'used',
  id2label: 'none',
  initializer_range: 'used',
  intermediate_size: 'used',
  is_encoder_decoder: 'none',
  label2id: 'none',
  max_position_embeddings: 'used',
  model_type: 'used',
  _name_or_path: 'none',
  num_attention_heads: 'used',
  num_hidden_layers: 'used',
  num_key_value_heads: 'used',
  original_max_position_embeddings: 'used',
  output_attentions: 'none',
  output_hidden_states: 'none',
  pad_token_id: 'none',
  partial_rotary_factor: 'refused',
  problem_type: 'none',
  quantization_config: 'refused',
  return_dict: 'none',
  rms_norm_eps: 'used',
  rope_parameters: 'used',
  rope_scaling: 'used',
  rope_theta: 'used',
  tie_word_embeddings: 'used',
  torch_dtype: 'used',
  transformers_version: 'none',
  use_cache: 'none',
  vocab_size: 'used',
};

const QWEN: Readonly<Record<string, KeyEffect>> = {
  layer_types: 'used',
  max_window_layers: 'used',
  sliding_window: 'used',
  use_sliding_window: 'used',
};

/** Every key of a family's configuration class in transformers 5.18, with those of transformers 4. */
export const CONFIG_EFFECTS: Readonly<Record<ModelFamily, Readonly<Record<string, KeyEffect>>>> = {
  llama: { ...COMMON, attention_bias: 'used', mlp_bias: 'used', pretraining_tp: 'none' },
  mistral: { ...COMMON, sliding_window: 'used', layer_types: 'none' },
  qwen2: { ...COMMON, ...QWEN },
  qwen3: { ...COMMON, ...QWEN, attention_bias: 'used' },
};
