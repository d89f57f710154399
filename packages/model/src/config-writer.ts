import { type LlamaConfig, type RopeScaling, yarnAttentionFactor } from './config.js';
import { FAMILIES } from './families.js';

/**
 * The Hugging Face `config.json` of a model, with the keys that transformers 4 and 5, vLLM and llama.cpp's converter
 * all read (`rope_theta`, `rope_scaling`, `torch_dtype`). `parseConfig` gives the same config back.
 */
export function toHuggingFaceConfig(config: LlamaConfig): Record<string, unknown> {
  const { family, eosTokenIds } = config;
  const { architecture, writeBiases, writeWindows } = FAMILIES[family];
  return {
    architectures: [architecture],
    model_type: family,
    vocab_size: config.vocabSize,
    hidden_size: config.hiddenSize,
    intermediate_size: config.intermediateSize,
    num_hidden_layers: config.numLayers,
    num_attention_heads: config.numHeads,
    num_key_value_heads: config.numKeyValueHeads,
    head_dim: config.headDim,
    hidden_act: 'silu',
    rms_norm_eps: config.rmsNormEps,
    rope_theta: config.ropeTheta,
    rope_scaling: ropeScalingKeys(config.ropeScaling),
    max_position_embeddings: config.maxPositions,
    tie_word_embeddings: config.tieEmbeddings,
    ...writeBiases(config),
    ...writeWindows(config),
    bos_token_id: config.bosTokenId,
    eos_token_id: eosTokenIds.length === 1 ? eosTokenIds[0] : eosTokenIds.length === 0 ? null : eosTokenIds,
    initializer_range: config.initializerRange,
    torch_dtype: config.dtype,
    use_cache: true,
  };
}

function ropeScalingKeys(scaling: RopeScaling | null): Record<string, unknown> | null {
  if (scaling === null) return null;
  const { kind, factor } = scaling;
  if (scaling.kind === 'yarn') {
    const { attentionFactor, betaFast, betaSlow, originalMaxPositions, truncate } = scaling;
    return {
      rope_type: kind,
      factor,
      ...(attentionFactor === yarnAttentionFactor(factor) ? {} : { attention_factor: attentionFactor }),
      beta_fast: betaFast,
      beta_slow: betaSlow,
      original_max_position_embeddings: originalMaxPositions,
      ...(truncate ? {} : { truncate }),
    };
  }
  if (kind !== 'llama3') return { rope_type: kind, factor };
  return {
    rope_type: kind,
    factor,
    low_freq_factor: scaling.lowFreqFactor,
    high_freq_factor: scaling.highFreqFactor,
    original_max_position_embeddings: scaling.originalMaxPositions,
  };
}
