import type { LlamaConfig } from './config.js';

/** Name, as in Hugging Face checkpoints, and shape of one parameter. */
export interface ParameterSpec {
  name: string;
  shape: number[];
}

/**
 * All parameters of a model in the order of the computation. V vocabulary, D hidden, F feed-forward, H query heads,
 * K key/value heads, d head size: `model.embed_tokens.weight [V,D]`; per layer `input_layernorm.weight [D]`,
 * `self_attn.{q,k,v}_proj.weight [H d | K d, D]` (`.bias`), `self_attn.{q,k}_norm.weight [d]` (Qwen3),
 * `self_attn.o_proj.weight [D, H d]`, `post_attention_layernorm.weight [D]`, `mlp.{gate,up}_proj.weight [F,D]`,
 * `mlp.down_proj.weight [D,F]`; `model.norm.weight [D]`; `lm_head.weight [V,D]` unless tied.
 */
export function parameterSpecs(config: LlamaConfig): ParameterSpec[] {
  const { vocabSize: V, hiddenSize: D, numLayers, tieEmbeddings } = config;
  const specs: ParameterSpec[] = [{ name: 'model.embed_tokens.weight', shape: [V, D] }];
  for (let layer = 0; layer < numLayers; layer++) specs.push(...layerSpecs(config, layer));
  specs.push({ name: 'model.norm.weight', shape: [D] });
  if (!tieEmbeddings) specs.push({ name: 'lm_head.weight', shape: [V, D] });
  return specs;
}

/** The parameter that the output head reads: its own, or the embedding where they are tied. */
export const headName = ({ tieEmbeddings }: Pick<LlamaConfig, 'tieEmbeddings'>): string =>
  tieEmbeddings ? 'model.embed_tokens.weight' : 'lm_head.weight';

/** How all parameter names of a layer begin: `model.layers.3.`. */
export const layerPrefix = (layer: number): string => `model.layers.${layer}.`;

function layerSpecs(config: LlamaConfig, layer: number): ParameterSpec[] {
  const { hiddenSize: D, intermediateSize: F, headDim, attentionBias, attentionOutputBias, mlpBias, qkNorm } = config;
  const queryWidth = config.numHeads * headDim;
  const keyWidth = config.numKeyValueHeads * headDim;
  const linear = (name: string, outputs: number, inputs: number, hasBias: boolean): ParameterSpec[] => [
    { name: `${name}.weight`, shape: [outputs, inputs] },
    ...(hasBias ? [{ name: `${name}.bias`, shape: [outputs] }] : []),
  ];
  const norm = (name: string, width: number): ParameterSpec => ({ name: `${name}.weight`, shape: [width] });
  const specs = [
    norm('input_layernorm', D),
    ...linear('self_attn.q_proj', queryWidth, D, attentionBias),
    ...linear('self_attn.k_proj', keyWidth, D, attentionBias),
    ...linear('self_attn.v_proj', keyWidth, D, attentionBias),
    ...(qkNorm ? [norm('self_attn.q_norm', headDim), norm('self_attn.k_norm', headDim)] : []),
    ...linear('self_attn.o_proj', D, queryWidth, attentionOutputBias),
    norm('post_attention_layernorm', D),
    ...linear('mlp.gate_proj', F, D, mlpBias),
    ...linear('mlp.up_proj', F, D, mlpBias),
    ...linear('mlp.down_proj', D, F, mlpBias),
  ];
  return specs.map(({ name, shape }) => ({ name: layerPrefix(layer) + name, shape }));
}

/** Number of trainable numbers; a tied head counts once. */
export function countParameters(config: LlamaConfig): number {
  return parameterSizes(config).reduce((sum, size) => sum + size, 0);
}

/** Elements of each parameter. */
export const parameterSizes = (config: LlamaConfig): number[] =>
  parameterSpecs(config).map(({ shape }) => shape.reduce((size, n) => size * n, 1));
