import * as tf from '@tensorflow/tfjs-core';
import { add, HEAD_SUMS, type HeadInputs, logitLoss, noGrad, unlearnHead } from '@lethe/tensor';
import { forgetRow, logitForm, type SequenceTerms, sequenceTerms } from './logit-forms.js';
import { FORGETTING_METHODS, type ForgettingLoss } from './methods.js';

/** What forgetting beside the fused head needs of the forget rows; what is absent is read from the targets. */
export interface ForgetRows {
  /** The targets of all rows on this side of the device, so that it need not wait for them. */
  targets?: Int32Array;
  /** A number for each forget row that rows of one sequence share. */
  sequenceOf?: ArrayLike<number>;
  /** The original model's hidden states of the forget rows [F, D], and its output embedding. */
  originalHidden?: tf.Tensor;
  originalWeight?: tf.Tensor;
}

interface MicroBatchRows {
  inputs: HeadInputs;
  numForget: number;
  forget: ForgetRows;
}

/** Factors of the terms' plain sums. */
interface Scales {
  forgetting: number;
  replay: number;
  mitigation: number;
}

/** The objective with the fused head for the replay rows, and for the forget rows a loss on all logits. */
export function forgetBeside(
  { inputs, numForget, forget }: MicroBatchRows,
  loss: ForgettingLoss,
  scales: Scales,
): { loss: tf.Tensor; sums: tf.Tensor } {
  const targets = forget.targets ?? (inputs.targets.dataSync() as Int32Array);
  const rows = Array.from({ length: numForget }, (_, n) => n).filter((n) => targets[n] >= 0);
  requireParts(loss, forget);
  const replayTargets = targets.map((id, n) => (n < numForget ? -1 : id));
  const head = withTargets(replayTargets, (kept) =>
    unlearnHead({ ...inputs, targets: kept }, { scales: { ...scales, forgetting: 0 } }),
  );
  const sequences = FORGETTING_METHODS[loss.method].isSequenceLevel
    ? sequencesOf({ inputs, numForget, forget }, rows, targets, loss)
    : undefined;
  const form = logitForm(loss, sequences);
  const sums = { forgetting: 0, forgetP: 0, push: 0 };
  const { hidden, weight } = inputs;
  const { originalHidden, originalWeight } = forget;
  const beside = logitLoss(
    { hidden, weight, rows, ...(originalHidden && { originalHidden, originalWeight }) },
    scales.forgetting,
    (logits, dz) => {
      const row = forgetRow(logits.z, targets[logits.n]);
      const value = form(row, dz, logits);
      sums.forgetting += value;
      sums.forgetP += row.p;
      // c(p) (e_y - q) has the norm 2 c(p).
      let norm = 0;
      for (let v = 0; v < dz.length; v++) norm += Math.abs(dz[v]);
      sums.push += norm / 2;
      return value;
    },
  );
  const all = [...head.sums.dataSync()];
  const own = { ...sums, forgetTargets: rows.length, forgetSequences: sequences?.numSequences ?? 0 };
  for (const [name, value] of Object.entries(own)) all[HEAD_SUMS.indexOf(name as keyof typeof own)] = value;
  return { loss: add(head.loss, beside), sums: tf.tensor1d(all) };
}

function requireParts({ method }: ForgettingLoss, { sequenceOf, originalHidden, originalWeight }: ForgetRows): void {
  const { needsOriginal, isSequenceLevel } = FORGETTING_METHODS[method];
  const missing = [
    ...(needsOriginal && !(originalHidden && originalWeight) ? ['originalHidden and originalWeight'] : []),
    ...(isSequenceLevel && !sequenceOf ? ['sequenceOf'] : []),
  ];
  if (missing.length > 0)
    throw new RangeError(`unlearnLoss: ${method}: expected forget rows with ${missing.join(' and ')}, received none`);
}

/** Runs f with targets on the device. */
function withTargets<R>(targets: Int32Array, f: (targets: tf.Tensor) => R): R {
  const tensor = tf.tensor1d(targets, 'int32');
  try {
    return f(tensor);
  } finally {
    tensor.dispose();
  }
}

/** The losses of sequences, from one more pass of the head over the forget rows, and one by the original model. */
function sequencesOf(
  { inputs, numForget, forget }: MicroBatchRows,
  rows: readonly number[],
  targets: Int32Array,
  loss: ForgettingLoss,
): SequenceTerms {
  const nllOf = (hidden: tf.Tensor, weight: tf.Tensor, ids: Int32Array): Float32Array =>
    withTargets(ids, (on) => {
      const scales = { forgetting: 0, replay: 0, mitigation: 0 };
      const {
        loss: none,
        sums,
        nll,
      } = noGrad(() => unlearnHead({ hidden, weight, targets: on }, { scales, rows: ['nll'] }));
      const values = nll!.dataSync().slice() as Float32Array;
      tf.dispose([none, sums, nll!]);
      return values;
    });
  const forgetTargets = targets.map((id, n) => (n < numForget ? id : -1));
  const nll = nllOf(inputs.hidden, inputs.weight, forgetTargets);
  const { originalHidden, originalWeight, sequenceOf } = forget;
  const originalNll =
    loss.method === 'npo' ? nllOf(originalHidden!, originalWeight!, forgetTargets.slice(0, numForget)) : undefined;
  return sequenceTerms(loss, { rows, sequenceOf: sequenceOf!, nll, originalNll });
}
