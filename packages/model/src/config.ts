import { UserError } from '@lethe/run';

/** Architectures with Llama's layer. They differ in biases, q/k norms and windows, which the config spells out. */
export type ModelFamily = 'llama' | 'mistral' | 'qwen2' | 'qwen3';

/** How rotary frequencies are changed to reach longer contexts; null in {@link LlamaConfig} means not at all. */
export type RopeScaling =
  | { kind: 'linear'; factor: number }
  | { kind: 'dynamic'; factor: number }
  | {
      kind: 'llama3';
      factor: number;
      lowFreqFactor: number;
      highFreqFactor: number;
      originalMaxPositions: number;
    }
  | YarnScaling;

/** YaRN (Peng et al. 2023, arXiv:2309.00071): low frequencies are interpolated, high ones kept, and attention is scaled. */
export interface YarnScaling {
  kind: 'yarn';
  factor: number;
  /** Multiplies cosines and sines; by default {@link yarnAttentionFactor} of the factor. */
  attentionFactor: number;
  /** Turns in the original context above which a frequency is kept, and below which it is interpolated. */
  betaFast: number;
  betaSlow: number;
  originalMaxPositions: number;
  /** Whether the bounds between are whole pairs. */
  truncate: boolean;
}

/** The paper's scale of attention: 0.1 m ln(factor) + 1, or 1 where nothing is stretched. */
export const yarnAttentionFactor = (factor: number, m = 1): number =>
  factor <= 1 ? 1 : 0.1 * m * Math.log(factor) + 1;

/** Number format of stored weights. */
export type WeightDtype = 'float32' | 'float16' | 'bfloat16';

/** Everything that decides a model's computation and the names and shapes of its parameters. */
export interface LlamaConfig {
  family: ModelFamily;
  vocabSize: number;
  hiddenSize: number;
  intermediateSize: number;
  numLayers: number;
  numHeads: number;
  /** Divides `numHeads`; each is read by `numHeads / numKeyValueHeads` query heads. */
  numKeyValueHeads: number;
  /** Even; `numHeads * headDim` may differ from `hiddenSize`. */
  headDim: number;
  rmsNormEps: number;
  ropeTheta: number;
  ropeScaling: RopeScaling | null;
  /** Longest sequence the model was made for. */
  maxPositions: number;
  /** Whether the head is the embedding matrix. */
  tieEmbeddings: boolean;
  /** Whether q_proj, k_proj and v_proj have biases. */
  attentionBias: boolean;
  /** Whether o_proj has one too (Qwen2 has biases on q, k, v only). */
  attentionOutputBias: boolean;
  /** Whether gate_proj, up_proj and down_proj have biases. */
  mlpBias: boolean;
  /** A query at position t sees the keys of positions t - slidingWindow + 1 .. t; null: all up to t. */
  slidingWindow: number | null;
  /** Layers, counted from 0, that see all keys although there is a window (Qwen). */
  fullLayers: readonly number[];
  /** Whether each head of q and k is RMS-normalised before the rotation (Qwen3). */
  qkNorm: boolean;
  bosTokenId: number | null;
  /** Tokens that end a text; may be empty. */
  eosTokenIds: number[];
  /** Standard deviation of freshly initialised weights. */
  initializerRange: number;
  /** Number format the weights are published in. */
  dtype: WeightDtype;
}

/** A `config.json` that cannot be used; the message names the file and the key. */
export class ConfigError extends UserError {}

/**
 * The paper's BaseLM (Chen et al. 2024): hidden 2048, feed-forward 5504, 32 heads, 32 layers, context 4096. The paper
 * does not state the vocabulary; 64,000 with an untied head is the default here.
 */
export function baselm(overrides: Partial<LlamaConfig> = {}): LlamaConfig {
  return {
    family: 'llama',
    vocabSize: 64000,
    hiddenSize: 2048,
    intermediateSize: 5504,
    numLayers: 32,
    numHeads: 32,
    numKeyValueHeads: 32,
    headDim: 64,
    rmsNormEps: 1e-5,
    ropeTheta: 10000,
    ropeScaling: null,
    maxPositions: 4096,
    tieEmbeddings: false,
    attentionBias: false,
    attentionOutputBias: false,
    mlpBias: false,
    slidingWindow: null,
    fullLayers: [],
    qkNorm: false,
    bosTokenId: 1,
    eosTokenIds: [2],
    initializerRange: 0.02,
    dtype: 'float32',
    ...overrides,
  };
}
