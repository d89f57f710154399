import * as tf from '@tensorflow/tfjs-core';
import { add, HEAD_SUMS, type HeadInputs, unlearnHead } from '@lethe/tensor';
import { type ForgetRows, forgetBeside } from './forget-beside.js';
import { FORGETTING_METHODS, forgettingForm, type ForgettingLoss } from './methods.js';

/** Weights of the three terms (docs/math.md, section 1); the paper's are 0.01, 1, 1. */
export interface TermWeights {
  forgetting: number;
  replay: number;
  mitigation: number;
}

/**
 * Valid target tokens of each stream over the whole optimizer step, micro-batches together; `forget` counts sequences where
 * the method is of whole sequences.
 */
export interface TargetCounts {
  forget: number;
  replay: number;
  /** Of the replay targets, those that the mitigation term holds to a frozen model (default: all). */
  held?: number;
}

/** mean: each term is divided by its stream's target count, so weights do not depend on the batch's shape. */
export type Reduction = 'mean' | 'sum';

/** The objective of a step: the forgetting loss, and how the terms are weighted. */
export interface Objective extends ForgettingLoss {
  weights: TermWeights;
  reduction: Reduction;
}

/** Sums over the valid rows of one or more micro-batches. */
export interface TermSums {
  forgetting: number;
  replay: number;
  mitigation: number;
  forgetTargets: number;
  replayTargets: number;
  /** Sum of p of the targets on forget rows, and of |c(p)|: how hard forgetting still pushes. */
  forgetP: number;
  push: number;
  /** Sequences of forget rows, for methods of whole sequences; else 0. */
  forgetSequences: number;
  /** Of the replay targets, those that the mitigation term holds to a frozen model. */
  heldTargets: number;
}

/** Factors of the plain sums in the loss; an empty stream has factor 0, so it contributes 0 and never NaN. */
export function termScales({ weights, reduction }: Objective, counts: TargetCounts): TermWeights {
  const per = (weight: number, count: number): number => {
    if (count === 0) return 0;
    return reduction === 'mean' ? weight / count : weight;
  };
  return {
    forgetting: per(weights.forgetting, counts.forget),
    replay: per(weights.replay, counts.replay),
    mitigation: per(weights.mitigation, counts.held ?? counts.replay),
  };
}

/**
 * L = w_fgt L_fgt + w_rpy L_rpy + w_mtn L_mtn (Chen et al. 2024, section 5.1) of one micro-batch, through the fused head; a
 * forgetting loss that it has no form for, beside it.
 * @param inputs hidden states with the forget rows first; the original model's belong to the last rows, which are held to it.
 * @param forget what methods beside the head need of forget rows: see {@link ForgetRows}.
 * @returns the scalar loss, and `sums` [8] on the device, to be read with `readSums` when it is time to wait.
 * @throws RangeError where the method needs what `forget` lacks.
 */
export function unlearnLoss(
  inputs: HeadInputs,
  numForget: number,
  objective: Objective,
  counts: TargetCounts,
  forget: ForgetRows = {},
): { loss: tf.Tensor; sums: tf.Tensor } {
  const scales = termScales(objective, counts);
  if (FORGETTING_METHODS[objective.method].kind === 'logits')
    return forgetBeside({ inputs, numForget, forget }, objective, scales);
  const { loss, sums } = unlearnHead(inputs, { numForget, forgetting: forgettingForm(objective), scales });
  return objective.method === 'complement-normalized' ? normalized({ loss, sums }, inputs, scales) : { loss, sums };
}

/** The complement with log(V-1) more for each forget row. */
function normalized(
  { loss, sums }: { loss: tf.Tensor; sums: tf.Tensor },
  { weight }: HeadInputs,
  scales: TermWeights,
): { loss: tf.Tensor; sums: tf.Tensor } {
  const values = sums.dataSync().slice();
  const more = values[HEAD_SUMS.indexOf('forgetTargets')] * Math.log(weight.shape[0] - 1);
  values[0] += more;
  return { loss: add(loss, tf.scalar(scales.forgetting * more)), sums: tf.tensor1d(values) };
}

type HeadSum = (typeof HEAD_SUMS)[number];

/**
 * Reads the sums of the fused head. Waits for the device.
 * @param heldTargets which the head does not count (default: all replay targets).
 */
export function readSums(sums: tf.Tensor, heldTargets?: number): TermSums {
  const values = sums.dataSync();
  const read = Object.fromEntries(HEAD_SUMS.map((name, i) => [name, values[i]])) as Record<HeadSum, number>;
  return { ...read, heldTargets: heldTargets ?? read.replayTargets };
}

/** The sums of several micro-batches as one. */
export function addSums(a: TermSums, b: TermSums): TermSums {
  const names = Object.keys(a) as (keyof TermSums)[];
  return Object.fromEntries(names.map((name) => [name, a[name] + b[name]])) as unknown as TermSums;
}

/**
 * The unweighted terms as means per valid token, in nats (a term without tokens is 0), and the weighted loss. Forgetting of
 * whole sequences is a mean per sequence.
 */
export function termMeans(sums: TermSums, objective: Objective): TermWeights & { loss: number } {
  const mean = (sum: number, count: number): number => (count === 0 ? 0 : sum / count);
  const forget = sums.forgetSequences || sums.forgetTargets;
  const scales = termScales(objective, { forget, replay: sums.replayTargets, held: sums.heldTargets });
  return {
    forgetting: mean(sums.forgetting, forget),
    replay: mean(sums.replay, sums.replayTargets),
    mitigation: mean(sums.mitigation, sums.heldTargets),
    loss: scales.forgetting * sums.forgetting + scales.replay * sums.replay + scales.mitigation * sums.mitigation,
  };
}
