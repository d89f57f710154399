import {
  adapterSizes,
  adaptedLayers,
  countParameters,
  type LlamaConfig,
  type LoraSettings,
  parameterSizes,
} from '@lethe/model';
import { UserError } from '@lethe/run';
import { probeCuda } from '@lethe/tensor';

/** What a step holds in one process: rows of a micro-batch, of both streams together, and tokens of a row. */
export interface StepSize {
  rows: number;
  length: number;
  /** Parameters of frozen models: the original, and a reference. */
  frozenParameters: number;
  recompute: boolean;
  bf16: boolean;
  /** Where an adapter is trained, and the model under it is frozen. */
  lora?: LoraSettings;
  /** Values of each moment that this process keeps, where several divide them; default: one for each number that is trained. */
  moments?: number;
}

/** Bytes on the device during a step, part by part. */
export interface MemoryEstimate {
  weights: number;
  original: number;
  activations: number;
  head: number;
  total: number;
}

/** The fused head's budget for a chunk of logits (docs/cuda.md), and what else operators work in. */
const HEAD_BYTES = 1.5 * 2 ** 30;
const WORKSPACE_BYTES = 2 ** 29;

/**
 * An upper estimate of the memory of a step. Weights: fp32 master, gradient and two moments, and a 2-byte copy in bf16; those of the
 * adapter alone where there is one, over weights in the precision. Activations: what each layer keeps for its backward pass; with
 * `recompute` only each layer's input, and one layer whole.
 */
export function estimateMemory(config: LlamaConfig, size: StepSize): MemoryEstimate {
  const parameters = countParameters(config);
  const bytes = size.bf16 ? 2 : 4;
  const tokens = size.rows * size.length;
  const keys = config.numKeyValueHeads * config.headDim;
  const queries = config.numHeads * config.headDim;
  // Two residual sums and two norms, q, k, v, the attended values and their projection; gate, up, their product.
  const plain = tokens * (bytes * (5 * config.hiddenSize + 2 * queries + 2 * keys + 3 * config.intermediateSize) + 12);
  const layer = plain + (size.lora ? tokens * bytes * lowRankValues(config, size.lora) : 0);
  const input = tokens * bytes * config.hiddenSize;
  const trained = trainedSizes(config, size.lora).reduce((sum, elements) => sum + elements, 0);
  const weights =
    (size.lora ? parameters * bytes : 0) + trained * (8 + (size.bf16 ? 2 : 0)) + (size.moments ?? trained) * 8;
  const original = size.frozenParameters * bytes;
  const activations = (size.recompute ? config.numLayers * input + layer : config.numLayers * layer) + 4 * input;
  const head = HEAD_BYTES + WORKSPACE_BYTES + (size.bf16 ? config.vocabSize * (config.hiddenSize + 8) * 4 : 0);
  return { weights, original, activations, head, total: weights + original + activations + head };
}

/** Elements of each parameter that is trained. */
export const trainedSizes = (config: LlamaConfig, lora: LoraSettings | undefined): number[] =>
  lora ? adapterSizes(config, lora) : parameterSizes(config);

/** Values that an adapter keeps per token of a layer: what lies between its two matrices. */
export const lowRankValues = (config: LlamaConfig, { rank, targets }: LoraSettings): number =>
  (rank * adaptedLayers(config, targets).length) / config.numLayers;

const gb = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;

/** The estimate in one line. */
export function memoryText({ weights, original, activations, head, total }: MemoryEstimate): string {
  const parts = `weights and optimizer ${gb(weights)}, original ${gb(original)}, activations ${gb(activations)}`;
  return `${gb(total)} (${parts}, head and working memory ${gb(head)})`;
}

/**
 * Settings with which a step fits into `available` bytes, the mildest first: recompute, then fewer rows a micro-batch,
 * then shorter rows; undefined where not even one row of 128 tokens fits.
 */
export function settingsThatFit(config: LlamaConfig, size: StepSize, available: number): StepSize | undefined {
  const fits = (candidate: StepSize): boolean => estimateMemory(config, candidate).total <= available;
  let candidate = { ...size };
  if (fits(candidate)) return candidate;
  candidate = { ...candidate, recompute: true };
  while (!fits(candidate) && candidate.rows > 1) candidate = { ...candidate, rows: Math.ceil(candidate.rows / 2) };
  while (!fits(candidate) && candidate.length > 128) candidate = { ...candidate, length: candidate.length / 2 };
  return fits(candidate) ? candidate : undefined;
}

/**
 * Asks the GPU for the memory that a step will need, before anything is loaded.
 * @throws UserError with the estimate, what the GPU has, and settings that would fit.
 */
export function requireMemory(
  config: LlamaConfig,
  size: StepSize,
  probe: (bytes: number) => string | undefined = probeCuda,
): void {
  const estimate = estimateMemory(config, size);
  const reason = probe(Math.ceil(estimate.total));
  if (reason === undefined) return;
  const available = Number(/\((\d+) of \d+ are free\)/.exec(reason)?.[1]);
  if (Number.isNaN(available)) throw new UserError(`the GPU cannot be used: ${reason}`);
  const fitting = settingsThatFit(config, size, available);
  const advice = fitting
    ? `model.recompute: ${fitting.recompute}, ${fitting.rows} rows a micro-batch, data.rowLength: ${fitting.length}`
    : `none; take a smaller model or a larger GPU${size.lora ? '' : ', or train an adapter (model.lora)'}`;
  throw new UserError(
    `a step needs about ${memoryText(estimate)}; the GPU has ${gb(available)} free. Settings that fit: ${advice}`,
  );
}
