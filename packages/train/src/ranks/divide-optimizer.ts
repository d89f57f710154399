import * as tf from '@tensorflow/tfjs-core';
import { type Collectives, holdsInPlace, type Parameter, partOfRank, writePart } from '@lethe/tensor';
import type { Optimizer, PartOf, Update } from '../optimizer.js';
import type { TrainRecipe } from '../recipe.js';

/** Elements below which a parameter is not worth a call: its moments are kept whole on every rank. */
const SMALL = 65_536;

/** Whether a parameter has calls of its own, in place. */
export const isLarge = ({ value }: Pick<Parameter, 'value'>): boolean => holdsInPlace() && value.size >= SMALL;

/** What a rank updates: its part of every large parameter (Rajbhandari et al. 2020, the first stage of ZeRO). */
export function partsOfRank({ ranks: { shard } }: Pick<TrainRecipe, 'ranks'>, ranks: Collectives): PartOf {
  if (ranks.size === 1 || shard === 'none') return () => undefined;
  return (parameter) => (isLarge(parameter) ? partOfRank(parameter.value.size, ranks) : undefined);
}

/** Values of each moment that the first of `size` ranks holds, of parameters of these sizes. */
export const momentsOfRank = (
  sizes: readonly number[],
  { ranks: { shard } }: Pick<TrainRecipe, 'ranks'>,
  size: number,
): number =>
  sizes.reduce((sum, elements) => {
    const { count, rest } = partOfRank(elements, { rank: 0, size });
    return sum + (shard === 'none' || elements < SMALL ? elements : count + rest);
  }, 0);

/** The norm of the gradient over all ranks, the same on each. What every rank has is counted on the first. */
export async function gradientNormOverRanks(optimizer: Optimizer, ranks: Collectives): Promise<number> {
  if (ranks.size === 1) return optimizer.gradientNorm();
  const [squares] = await ranks.sum([optimizer.gradientNorm(ranks.rank === 0) ** 2]);
  return Math.sqrt(squares);
}

/**
 * Updates the parameters; each rank its parts, which the others receive while it goes on with the next step, up to where
 * that reads them: whoever does waits, and is told of a failure.
 */
export function updateOverRanks(optimizer: Optimizer, update: Update, ranks: Collectives): void {
  for (const parameter of optimizer.parameters) {
    optimizer.updateOne(parameter, update);
    if (optimizer.partOf(parameter)) ranks.allGather(parameter.value).catch(() => {});
  }
}

/**
 * The optimizer's moments one after another, as a process alone has them, whatever the ranks share; every rank must take
 * part. Each is disposed of when the next is asked for.
 */
export async function* wholeMoments(
  optimizer: Optimizer,
  ranks: Collectives,
): AsyncGenerator<{ name: string; value: tf.Tensor }> {
  for (const parameter of optimizer.parameters) {
    const part = optimizer.partOf(parameter);
    for (const [suffix, moment] of Object.entries(optimizer.moments.get(parameter.name)!)) {
      const name = `${parameter.name}.${suffix}`;
      if (!part) {
        yield { name, value: moment as tf.Variable };
        continue;
      }
      const value = tf.fill(parameter.value.shape, 0);
      writePart(value, part, moment as tf.Variable);
      await ranks.allGather(value);
      yield { name, value };
      value.dispose();
    }
  }
}
