import * as tf from '@tensorflow/tfjs-core';
import { addSums, type Objective, readSums, type TargetCounts, type TermSums, unlearnLoss } from '@lethe/losses';
import { disposeBatch, type Llama, toTokenBatch } from '@lethe/model';
import { backward, noGrad, type Parameter, scope } from '@lethe/tensor';
import { type MicroBatch, rowsOf, targetsOf } from './micro-batch.js';

/** What a step trains and how. `original` is the frozen model of the mitigation term. */
export interface StepContext {
  model: Llama;
  original?: Llama;
  objective: Objective;
  recompute: boolean;
}

/** Valid targets of all micro-batches of a step. */
export function countTargets(batches: MicroBatch[]): TargetCounts {
  const total = (role: 'forget' | 'replay'): number =>
    batches.reduce((sum, batch) => sum + (batch[role]?.numTargets ?? 0), 0);
  return { forget: total('forget'), replay: total('replay') };
}

/** The original model's final hidden states of the replay rows: its only forward pass in a step. */
function originalHidden({ original, objective }: StepContext, { replay }: MicroBatch): tf.Tensor | undefined {
  if (!original || !replay || objective.weights.mitigation === 0) return undefined;
  const batch = toTokenBatch(replay, original.config.slidingWindow);
  const hidden = noGrad(() => original.hidden(batch));
  disposeBatch(batch);
  return hidden;
}

/** Adds one micro-batch's gradient to the parameters: one policy pass over both streams, one original pass over replay. */
function accumulate(context: StepContext, micro: MicroBatch, parameters: Parameter[], counts: TargetCounts): TermSums {
  const { model, original, objective, recompute } = context;
  const batch = toTokenBatch(rowsOf(micro), model.config.slidingWindow);
  const targets = tf.tensor1d(targetsOf(micro), 'int32');
  const teacher = originalHidden(context, micro);
  const numForget = micro.forget ? micro.forget.numRows * micro.forget.rowLength : 0;
  let sums: tf.Tensor | undefined;
  const loss = backward(() => {
    const hidden = model.hidden(batch, { recompute });
    const originalWeight = teacher && original!.headWeight;
    const inputs = { hidden, weight: model.headWeight, targets, originalHidden: teacher, originalWeight };
    const result = unlearnLoss(inputs, numForget, objective, counts);
    sums = tf.keep(tf.clone(result.sums));
    return result.loss;
  }, parameters);
  const read = readSums(sums!);
  tf.dispose([loss, sums!, targets, ...(teacher ? [teacher] : [])]);
  disposeBatch(batch);
  return read;
}

/** Runs the micro-batches of a step; gradients add up in the parameters, weighted by tokens. */
export function accumulateGradients(context: StepContext, batches: MicroBatch[]): TermSums {
  const counts = countTargets(batches);
  const parameters = context.model.parameters.filter(({ trainable }) => trainable);
  return batches.map((micro) => accumulate(context, micro, parameters, counts)).reduce(addSums);
}

/** The sums of the objective without gradients: validation. */
export function evaluateBatches(context: StepContext, batches: MicroBatch[]): TermSums {
  const counts = countTargets(batches);
  return batches.map((micro) => noGrad(() => accumulateOnly(context, micro, counts))).reduce(addSums);
}

function accumulateOnly(context: StepContext, micro: MicroBatch, counts: TargetCounts): TermSums {
  const { model, original, objective } = context;
  const batch = toTokenBatch(rowsOf(micro), model.config.slidingWindow);
  const targets = tf.tensor1d(targetsOf(micro), 'int32');
  const teacher = originalHidden(context, micro);
  const numForget = micro.forget ? micro.forget.numRows * micro.forget.rowLength : 0;
  const sums = scope(() => {
    const inputs = { hidden: model.hidden(batch), weight: model.headWeight, targets, originalHidden: teacher };
    const originalWeight = teacher && original!.headWeight;
    return unlearnLoss({ ...inputs, originalWeight }, numForget, objective, counts).sums;
  });
  const read = readSums(sums);
  tf.dispose([sums, targets, ...(teacher ? [teacher] : [])]);
  disposeBatch(batch);
  return read;
}
