import { UserError } from '@lethe/run';
import { globalNorm, type Parameter } from '@lethe/tensor';
import type { TermSums } from '@lethe/losses';
import { describeMicroBatches, type MicroBatch } from './micro-batch.js';

/** NaN or infinity in a loss or gradient: names the step, the tensor and the batch. */
export class NonFiniteError extends UserError {}

/** Whether every weight is a number. Waits for the device. */
export const hasFiniteWeights = (parameters: Parameter[]): boolean =>
  Number.isFinite(globalNorm(parameters.map(({ value }) => value)));

/**
 * Refuses a model that holds NaN or an infinity before any step, so that neither data nor settings are blamed for it.
 * @throws UserError naming the checkpoint and the tensor.
 */
export function requireFiniteStart(parameters: Parameter[], checkpoint: string): void {
  if (hasFiniteWeights(parameters)) return;
  // A norm that is not finite may also be of finite numbers, too large for the sum of their squares.
  for (const { name, value } of parameters) {
    const values = value.dataSync() as Float32Array;
    const at = values.findIndex((one) => !Number.isFinite(one));
    if (at < 0) continue;
    throw new UserError(
      `${checkpoint}: tensor '${name}' holds ${values[at]} at element ${at} of [${value.shape.join(', ')}]; ` +
        'take another checkpoint',
    );
  }
}

/**
 * @throws NonFiniteError when a weight is not finite after `step`: such a state must not replace a good checkpoint.
 */
export function assertFiniteWeights(step: number, parameters: Parameter[]): void {
  if (hasFiniteWeights(parameters)) return;
  const bad = parameters.find(({ value }) => !Number.isFinite(globalNorm([value])));
  throw new NonFiniteError(
    `step ${step} left the weight ${bad?.name ?? 'norm'} not finite; it is not saved, and the last good checkpoint is kept. Lower optimizer.lr.`,
  );
}

/** Whether the sums of the objective and the gradient norm are numbers. */
export const areFinite = (sums: TermSums, norm: number): boolean =>
  [sums.forgetting, sums.replay, sums.mitigation, norm].every(Number.isFinite);

/**
 * @param where `rows` tells what the step's micro-batches are made of, where that is more than `batches`.
 * @throws NonFiniteError when a sum of the objective or the gradient norm is not finite.
 */
export function assertFinite(
  step: number,
  sums: TermSums,
  norm: number,
  where: { parameters: Parameter[]; batches: MicroBatch[]; isAfter?: boolean; rows?: string },
): void {
  const badTerm = (['forgetting', 'replay', 'mitigation'] as const).find((term) => !Number.isFinite(sums[term]));
  if (!badTerm && Number.isFinite(norm)) return;
  const gradient = where.parameters.find(({ grad }) => !Number.isFinite(globalNorm([grad])));
  const weight = where.parameters.find(({ value }) => !Number.isFinite(globalNorm([value])));
  const parts = [
    badTerm && `the ${badTerm} loss is ${sums[badTerm]}`,
    gradient && `the gradient of ${gradient.name} is not finite`,
    weight && `the weight ${weight.name} is not finite`,
  ].filter(Boolean);
  throw new NonFiniteError(
    `step ${step}: ${parts.join(', ')}; batch of ${where.rows ?? describeMicroBatches(where.batches)}. ` +
      `${where.isAfter ? 'So the weights after that step are not saved' : 'Training stopped before this update'}. ` +
      'Lower optimizer.lr or objective.weights.forgetting, or look at that data.',
  );
}
