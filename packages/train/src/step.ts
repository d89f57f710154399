import * as tf from '@tensorflow/tfjs-core';
import {
  addSums,
  FORGETTING_METHODS,
  type ForgetRows,
  type Objective,
  readSums,
  type TargetCounts,
  type TermSums,
  unlearnLoss,
} from '@lethe/losses';
import { disposeBatch, type Llama, toTokenBatch } from '@lethe/model';
import { backward, noGrad, type Parameter, scope } from '@lethe/tensor';
import { CachedModel } from './cached-model.js';
import { heldOf, type MicroBatch, rowsOf, sequencesOf, targetsOf } from './micro-batch.js';

/** A frozen model: at work, or what it made of these rows before. */
export type Frozen = Llama | CachedModel;

/**
 * What a step trains and how. `original` is the frozen model as it was, of the mitigation term and of methods that need it (with an
 * adapter it is `model` itself, which runs without it);
 * `reference` another frozen model that the mitigation term takes in its place.
 */
export interface StepContext {
  model: Llama;
  original?: Frozen;
  reference?: Frozen;
  objective: Objective;
  recompute: boolean;
}

/** Valid targets of all micro-batches of a step; for a method of whole sequences, sequences to be forgotten. */
export function countTargets(batches: MicroBatch[], method: Objective['method']): TargetCounts {
  const total = (role: 'forget' | 'replay'): number =>
    batches.reduce((sum, batch) => sum + (batch[role]?.numTargets ?? 0), 0);
  const { isSequenceLevel } = FORGETTING_METHODS[method];
  const held = batches.reduce((sum, micro) => sum + (heldOf(micro)?.numTargets ?? 0), 0);
  const sequences = (sum: number, { forget }: MicroBatch): number => sum + (forget ? sequencesOf(forget).count : 0);
  return { forget: isSequenceLevel ? batches.reduce(sequences, 0) : total('forget'), replay: total('replay'), held };
}

/** The frozen model's final hidden states of a stream's rows. */
function frozenHidden(frozen: Frozen, rows: NonNullable<MicroBatch['forget']>): tf.Tensor {
  if (frozen instanceof CachedModel) return frozen.hidden(rows);
  const batch = toTokenBatch(rows, frozen.config.slidingWindow);
  // Where the trained model is a frozen one with an adapter, the frozen one is what is under it.
  const hidden = noGrad(() => frozen.hidden(batch, { bare: true }));
  disposeBatch(batch);
  return hidden;
}

/** What the method needs of the forget rows beside their hidden states. */
function forgetRowsOf({ original, objective }: StepContext, { forget }: MicroBatch): ForgetRows {
  const { kind, needsOriginal, isSequenceLevel } = FORGETTING_METHODS[objective.method];
  if (kind !== 'logits' || !forget) return {};
  return {
    ...(isSequenceLevel && { sequenceOf: sequencesOf(forget).of }),
    ...(needsOriginal &&
      original && { originalHidden: frozenHidden(original, forget), originalWeight: original.headWeight }),
  };
}

/** The model that the mitigation term holds to. */
export const protectedModel = ({
  original,
  reference,
}: Pick<StepContext, 'original' | 'reference'>): Frozen | undefined => reference ?? original;

/** The protected model's final hidden states of the replay rows that are held to it. */
function protectedHidden(context: StepContext, micro: MicroBatch): tf.Tensor | undefined {
  const { objective } = context;
  const [original, held] = [protectedModel(context), heldOf(micro)];
  if (!original || !held || objective.weights.mitigation === 0) return undefined;
  return frozenHidden(original, held);
}

/** Computes the objective's loss and sums on a micro-batch. */
type Losses = (options: { recompute: boolean }) => ReturnType<typeof unlearnLoss>;

/** The sums of one micro-batch: one original pass over replay, and what `pass` makes of the policy's pass over both streams. */
function sumsOf(
  context: StepContext,
  micro: MicroBatch,
  counts: TargetCounts,
  pass: (losses: Losses) => tf.Tensor,
): TermSums {
  const { model, objective } = context;
  const batch = toTokenBatch(rowsOf(micro), model.config.slidingWindow);
  const ids = targetsOf(micro);
  const targets = tf.tensor1d(ids, 'int32');
  const teacher = protectedHidden(context, micro);
  const forget = { ...forgetRowsOf(context, micro), targets: ids };
  const numForget = micro.forget ? micro.forget.numRows * micro.forget.rowLength : 0;
  const sums = pass((options) => {
    const hidden = model.hidden(batch, options);
    const originalWeight = teacher && protectedModel(context)!.headWeight;
    const inputs = { hidden, weight: model.headWeight, targets, originalHidden: teacher, originalWeight };
    return unlearnLoss(inputs, numForget, objective, counts, forget);
  });
  const read = readSums(sums, heldOf(micro)?.numTargets ?? 0);
  tf.dispose([sums, targets, ...(teacher ? [teacher] : []), ...(forget.originalHidden ? [forget.originalHidden] : [])]);
  disposeBatch(batch);
  return read;
}

/** A pass that adds its gradient to the parameters. */
function addGradients(
  losses: Losses,
  { model, recompute }: StepContext,
  onFinal?: (parameter: Parameter) => void,
): tf.Tensor {
  let sums: tf.Tensor | undefined;
  const forward = (): tf.Tensor => {
    const result = losses({ recompute });
    sums = tf.keep(tf.clone(result.sums));
    return result.loss;
  };
  const loss = backward(forward, model.trained, onFinal);
  tf.dispose(loss);
  return sums!;
}

/** What several processes tell each other about a step that they share. */
export interface SharedStep {
  /** Targets of the whole step, where these are some of its micro-batches. */
  counts: TargetCounts;
  /** Told of each parameter to whose gradient the last micro-batch will add no more, while that goes on backwards. */
  onFinal?: (parameter: Parameter) => void;
}

/** Runs the micro-batches of a step; gradients add up in the parameters, weighted by tokens. */
export function accumulateGradients(
  context: StepContext,
  batches: MicroBatch[],
  { counts, onFinal }: SharedStep = { counts: countTargets(batches, context.objective.method) },
): TermSums {
  const last = batches.length - 1;
  return batches
    .map((micro, i) =>
      sumsOf(context, micro, counts, (losses) => addGradients(losses, context, i === last ? onFinal : undefined)),
    )
    .reduce(addSums);
}

/** The sums of the objective without gradients: validation. */
export function evaluateBatches(context: StepContext, batches: MicroBatch[]): TermSums {
  const counts = countTargets(batches, context.objective.method);
  const pass = (losses: Losses): tf.Tensor => scope(() => losses({ recompute: false }).sums);
  return batches.map((micro) => noGrad(() => sumsOf(context, micro, counts, pass))).reduce(addSums);
}
