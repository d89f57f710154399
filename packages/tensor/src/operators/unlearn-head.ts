import * as tf from '@tensorflow/tfjs-core';
import { binaryKind, reduceKind, unlearnMethod } from '@lethe/native';
import { callOperator } from '../call.js';
import type { LetheBackend } from '../backend.js';
import type { KernelAttributes, KernelInputs } from '../kernels/register.js';
import { accumulator, isLive, isSeed, record } from '../tape.js';
import { expectShape, registerOperator, runOperator } from './register.js';
import { unlearnHeadComposed } from './unlearn-head-composed.js';

/** Entries of the `sums` output: plain sums over valid rows. The head leaves `forgetSequences` 0. */
export const HEAD_SUMS = [
  'forgetting',
  'replay',
  'mitigation',
  'forgetTargets',
  'replayTargets',
  'forgetP',
  'push',
  'forgetSequences',
] as const;

const WANTS = ['dhidden', 'dweight', 'nll', 'p', 'kl'] as const;
type Want = (typeof WANTS)[number];

function wantedShape(want: Want, { hidden, weight }: KernelInputs): number[] {
  if (want === 'dhidden') return hidden.shape;
  return want === 'dweight' ? weight.shape : [hidden.shape[0]];
}

function nativeHead(inputs: KernelInputs, attrs: KernelAttributes, backend: LetheBackend): tf.TensorInfo[] {
  const { hidden, weight, original_hidden } = inputs;
  const dims = { N: hidden.shape[0], M: original_hidden?.shape[0] ?? 0, D: hidden.shape[1], V: weight.shape[0] };
  const sums = backend.output([8]);
  const made: Partial<Record<Want, tf.TensorInfo>> = {};
  for (const want of attrs.wants as Want[])
    made[want] = backend.activation(wantedShape(want, inputs), want === 'dhidden' && backend.isBf16(hidden));
  if (made.dweight) callOperator(backend, 'fill', { N: dims.V * dims.D, y: made.dweight, value: 0 });
  const dweight = inputs.dweight ?? made.dweight;
  const { scales, numForget, method, beta1, beta2 } = attrs as unknown as HeadAttributes;
  const [scale_forgetting, scale_replay, scale_mitigation] = scales;
  const scalars = { scale_forgetting, scale_replay, scale_mitigation, num_forget: numForget, method, beta1, beta2 };
  callOperator(backend, 'unlearn_head', { ...dims, ...inputs, ...made, dweight, sums, ...scalars });
  return [objective(sums, scales, backend), sums, ...(Object.values(made) as tf.TensorInfo[])];
}

/** The scalar sum of scales * sums, left on the device. */
function objective(sums: tf.TensorInfo, scales: number[], backend: LetheBackend): tf.TensorInfo {
  const factors = {
    dataId: backend.write(Float32Array.from([...scales, 0, 0, 0, 0, 0]), [8], 'float32'),
    shape: [8],
    dtype: 'float32' as const,
  };
  const [weighted, loss] = [backend.output([8]), backend.output([])];
  callOperator(backend, 'binary', {
    N: 8,
    A: 8,
    B: 8,
    a: sums,
    b: factors,
    y: weighted,
    a_repeat: 1,
    b_repeat: 1,
    kind: binaryKind.mul,
  });
  callOperator(backend, 'reduce', { O: 1, D: 8, I: 1, x: weighted, y: loss, kind: reduceKind.sum });
  backend.disposeData(factors.dataId);
  backend.disposeData(weighted.dataId);
  return loss;
}

/** Attributes of the `lethe.unlearn_head` kernel. */
export interface HeadAttributes {
  scales: [forgetting: number, replay: number, mitigation: number];
  numForget: number;
  method: number;
  beta1: number;
  beta2: number;
  wants: string[];
}

// Outputs: loss, sums, then the wanted ones in the order of WANTS. An accumulator input `dweight` is added to.
registerOperator('lethe.unlearn_head', nativeHead, (inputs, attrs) =>
  unlearnHeadComposed(inputs, attrs as unknown as HeadAttributes),
);

tf.registerGradient({
  kernelName: 'lethe.unlearn_head',
  outputsToSave: [false, false, true, true],
  gradFunc: (dys, [dhidden, dweight]) => {
    const dloss = (dys as tf.Tensor[])[0];
    return { hidden: () => tf.mul(dhidden, dloss), weight: () => tf.mul(dweight, dloss) };
  },
});

/** The inputs of the fused head. */
export interface HeadInputs {
  /** Final hidden states [N, D]: forget rows first, then replay rows. */
  hidden: tf.Tensor;
  /** Output embedding [V, D]. */
  weight: tf.Tensor;
  /** int32 [N] target ids; -1 rows are ignored. */
  targets: tf.Tensor;
  /** The original model's hidden states of the last M rows and its output embedding; both or neither. */
  originalHidden?: tf.Tensor;
  originalWeight?: tf.Tensor;
}

/** A forget row's loss as native/core/forgetting.h computes it; the exponents are those of `ascent`. */
export interface ForgettingForm {
  kind: keyof typeof unlearnMethod;
  beta1: number;
  beta2: number;
}

const COMPLEMENT: ForgettingForm = { kind: 'complement', beta1: 0, beta2: 0 };

/** How the three terms enter the loss: loss = sum over terms of scale * (sum over the term's valid rows). */
export interface HeadOptions {
  numForget?: number;
  /** Default: the complement, -log(1-p). */
  forgetting?: ForgettingForm;
  scales: { forgetting: number; replay: number; mitigation: number };
  /** Per-row outputs wanted beside the sums. */
  rows?: ('nll' | 'p' | 'kl')[];
}

/** What the fused head returns: the scalar loss, `sums` [8] (HEAD_SUMS) and the per-row outputs asked for, [N] each. */
export interface HeadResult {
  loss: tf.Tensor;
  sums: tf.Tensor;
  nll?: tf.Tensor;
  p?: tf.Tensor;
  kl?: tf.Tensor;
}

/**
 * Output embedding, forgetting, replay and mitigation losses in one operator that never holds [N, V] logits
 * (docs/math.md, sections 1, 2 and 4). Gradients are computed in the same pass, and only when they will be asked for.
 * @throws RangeError on shapes or exponents that do not fit; Error on a target outside [-1, V).
 */
export function unlearnHead(inputs: HeadInputs, options: HeadOptions): HeadResult {
  const { hidden, weight, targets, originalHidden, originalWeight } = inputs;
  const { numForget = 0, forgetting = COMPLEMENT, scales, rows = [] } = options;
  checkHead(inputs, numForget);
  checkExponents(forgetting);
  const dweight = isLive(weight) ? accumulator(weight) : undefined;
  const isTaped = tf.engine().state.gradientDepth > 0;
  const wants = WANTS.filter((want) => {
    if (want === 'dhidden') return isTaped || isLive(hidden);
    return want === 'dweight' ? isTaped || (isLive(weight) && !dweight) : rows.includes(want);
  });
  const attributes: HeadAttributes = {
    scales: [scales.forgetting, scales.replay, scales.mitigation],
    numForget,
    method: unlearnMethod[forgetting.kind],
    beta1: forgetting.beta1,
    beta2: forgetting.beta2,
    wants,
  };
  const original = { original_hidden: originalHidden, original_weight: originalWeight };
  const [loss, sums, ...made] = runOperator(
    'lethe.unlearn_head',
    { hidden, weight, targets, ...original, dweight },
    { ...attributes },
  );
  const output = (want: Want): tf.Tensor | undefined => made[wants.indexOf(want)];
  const saved = (['dhidden', 'dweight'] as const).map(output).filter((tensor) => tensor !== undefined);
  const backward = ([dloss]: (tf.Tensor | undefined)[]): (tf.Tensor | undefined)[] =>
    [output('dhidden'), output('dweight')].map((gradient) => gradient && scaled(gradient, dloss));
  record({ inputs: [hidden, weight], outputs: [loss, sums, ...made], saved, backward });
  return { loss, sums, nll: output('nll'), p: output('p'), kl: output('kl') };
}

function scaled(gradient: tf.Tensor, dloss: tf.Tensor | undefined): tf.Tensor {
  if (!dloss) throw new Error('unlearnHead: only its loss has a gradient; sums and values of rows have none');
  return isSeed(dloss) ? tf.clone(gradient) : tf.mul(gradient, dloss);
}

function checkExponents(form: ForgettingForm): void {
  for (const key of ['beta1', 'beta2'] as const) {
    if (!(form[key] >= 0 && form[key] < Infinity))
      throw new RangeError(`unlearnHead: ${key}: expected a finite exponent of 0 or more, received ${form[key]}`);
  }
}

function checkHead({ hidden, weight, targets, originalHidden, originalWeight }: HeadInputs, numForget: number): void {
  const [N, D] = hidden.shape as number[];
  expectShape('unlearnHead', 'weight', weight, [weight.shape[0], D]);
  expectShape('unlearnHead', 'targets', targets, [N]);
  if (numForget < 0 || numForget > N)
    throw new RangeError(`unlearnHead: expected numForget in [0, ${N}], received ${numForget}`);
  if ((originalHidden === undefined) !== (originalWeight === undefined)) {
    throw new RangeError('unlearnHead: expected originalHidden and originalWeight together, received one of them');
  }
  if (!originalHidden) return;
  expectShape('unlearnHead', 'originalHidden', originalHidden, [originalHidden.shape[0], D]);
  expectShape('unlearnHead', 'originalWeight', originalWeight!, weight.shape as number[]);
  if (originalHidden.shape[0] > N)
    throw new RangeError(
      `unlearnHead: expected at most ${N} rows of originalHidden, received ${originalHidden.shape[0]}`,
    );
}
