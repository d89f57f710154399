import type { LlamaConfig } from '../config.js';
import { type ParameterSpec, parameterSpecs } from '../parameter-names.js';

/** The linear layers of a decoder layer that an adapter may change. */
export const LORA_TARGETS = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'] as const;

/** A name of {@link LORA_TARGETS}. */
export type LoraTarget = (typeof LORA_TARGETS)[number];

/** What an adapter is made of (Hu et al. 2021, arXiv:2106.09685). */
export interface LoraSettings {
  /** Width r between A [r, I] and B [O, r]. */
  rank: number;
  /** The change of a weight is (alpha / rank) B A. */
  alpha: number;
  targets: readonly LoraTarget[];
}

/** A linear layer that an adapter changes: its name, as in `model.layers.0.mlp.up_proj`, and the shape [O, I] of its weight. */
export interface AdaptedLayer {
  name: string;
  shape: readonly [outputs: number, inputs: number];
}

/** The linear layers of these names, in the order of the computation. */
export function adaptedLayers(config: LlamaConfig, targets: readonly LoraTarget[] = LORA_TARGETS): AdaptedLayer[] {
  const names = parameterSpecs(config).map(({ name, shape }) => ({ name: name.replace(/\.weight$/, ''), shape }));
  return names
    .filter(({ name }) => targets.some((target) => name.endsWith(`.${target}`)))
    .map(({ name, shape }) => ({ name, shape: [shape[0], shape[1]] }));
}

/** The parameters of an adapter: per layer `<name>.lora_A.weight [r, I]` and `<name>.lora_B.weight [O, r]`. */
export function adapterSpecs(config: LlamaConfig, { rank, targets }: Omit<LoraSettings, 'alpha'>): ParameterSpec[] {
  return adaptedLayers(config, targets).flatMap(({ name, shape: [outputs, inputs] }) => [
    { name: `${name}.lora_A.weight`, shape: [rank, inputs] },
    { name: `${name}.lora_B.weight`, shape: [outputs, rank] },
  ]);
}

/** Elements of each parameter of an adapter. */
export const adapterSizes = (config: LlamaConfig, settings: Omit<LoraSettings, 'alpha'>): number[] =>
  adapterSpecs(config, settings).map(({ shape }) => shape[0] * shape[1]);
