import type { TermWeights } from '@lethe/losses';
import type { Collectives } from '@lethe/tensor';
import type { MicroBatch } from './micro-batch.js';
import type { Optimizer } from './optimizer.js';
import { gradientsOverRanks } from './ranks/over-ranks.js';
import { gradientNormOverRanks } from './ranks/divide-optimizer.js';
import type { StepContext } from './step.js';

/**
 * The gradient norm of each weighted term by itself, from extra passes over the same batches; 0 where its weight is 0.
 * Gradients are zero before and after.
 */
export async function termGradientNorms(
  context: StepContext,
  batches: MicroBatch[],
  { optimizer, ranks }: { optimizer: Optimizer; ranks: Collectives },
): Promise<TermWeights> {
  const none = { forgetting: 0, replay: 0, mitigation: 0 };
  const norms = { ...none };
  for (const term of ['forgetting', 'replay', 'mitigation'] as const) {
    const weight = context.objective.weights[term];
    if (weight === 0) continue;
    const objective = { ...context.objective, weights: { ...none, [term]: weight } };
    await gradientsOverRanks({ ...context, objective }, batches, { optimizer, ranks });
    norms[term] = await gradientNormOverRanks(optimizer, ranks);
    optimizer.zeroGrad();
  }
  return norms;
}
