import { UserError } from '@lethe/run';
import { globalNorm, type Parameter } from '@lethe/tensor';
import type { TermSums } from '@lethe/losses';
import { describeMicroBatches, type MicroBatch } from './micro-batch.js';

/** NaN or infinity in a loss or gradient: names the step, the tensor and the batch. */
export class NonFiniteError extends UserError {}

/** @throws NonFiniteError when a sum of the objective or the gradient norm is not finite. */
export function assertFinite(
  step: number,
  sums: TermSums,
  norm: number,
  where: { parameters: Parameter[]; batches: MicroBatch[] },
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
    `step ${step}: ${parts.join(', ')}; batch of ${describeMicroBatches(where.batches)}. ` +
      'Training stopped before this update. Look at that data, or lower optimizer.lr or objective.weights.forgetting.',
  );
}
