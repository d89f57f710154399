import * as tf from '@tensorflow/tfjs-core';
import {
  type Collectives,
  holdsInPlace,
  type Parameter,
  partOfRank,
  readPart,
  sumGradients,
  writePart,
} from '@lethe/tensor';
import type { Optimizer, PartOf, Update } from '../optimizer.js';
import type { TrainRecipe } from '../recipe.js';

/** Elements below which a parameter's moments are kept whole on every rank: they are not worth a call. */
const SMALLEST_DIVIDED = 65_536;

/** What a rank updates: its part of every large parameter (Rajbhandari et al. 2020, the first stage of ZeRO). */
export function partsOfRank({ ranks: { shard } }: Pick<TrainRecipe, 'ranks'>, ranks: Collectives): PartOf {
  if (ranks.size === 1 || shard === 'none' || !holdsInPlace()) return () => undefined;
  return ({ value }) => (value.size < SMALLEST_DIVIDED ? undefined : partOfRank(value.size, ranks));
}

/** Values of each moment that the first of `size` ranks holds, of parameters of these sizes. */
export const momentsOfRank = (
  sizes: readonly number[],
  { ranks: { shard } }: Pick<TrainRecipe, 'ranks'>,
  size: number,
): number =>
  sizes.reduce((sum, elements) => {
    const { count, rest } = partOfRank(elements, { rank: 0, size });
    return sum + (shard === 'none' || elements < SMALLEST_DIVIDED ? elements : count + rest);
  }, 0);

/** Adds up gradients over all ranks; of a divided parameter each rank has the sums of its part only. */
export async function reduceGradients(optimizer: Optimizer, ranks: Collectives): Promise<void> {
  if (ranks.size === 1) return;
  const { parameters, partOf } = optimizer;
  const divided = parameters.filter((parameter) => partOf(parameter));
  const whole = parameters.filter((parameter) => !partOf(parameter));
  const sums = divided.map(({ grad }) => ranks.reduceScatter(grad));
  await Promise.all([...sums, sumGradients(whole, ranks)]);
  await sumRests(divided, ranks);
}

/** The elements that no equal division reaches: every rank has all of their sums. */
async function sumRests(divided: Parameter[], ranks: Collectives): Promise<void> {
  const rests = divided
    .map(({ grad }) => ({ grad, rest: grad.size % ranks.size }))
    .filter(({ rest }) => rest > 0)
    .map(({ grad, rest }) => ({ grad, part: { start: grad.size - rest, count: rest, rest: 0 } }));
  if (rests.length === 0) return;
  const values = rests.map(({ grad, part }) => tf.tidy(() => readPart(grad, part).dataSync() as Float32Array));
  const all = Float32Array.from(values.flatMap((some) => [...some]));
  await ranks.allReduceValues(all);
  let end = 0;
  for (const { grad, part } of rests) {
    const sum = tf.tensor1d(all.slice(end, (end += part.count)));
    writePart(grad, part, sum);
    sum.dispose();
  }
}

/** The norm of the gradient over all ranks, the same on each. What every rank has is counted on the first. */
export async function gradientNormOverRanks(optimizer: Optimizer, ranks: Collectives): Promise<number> {
  if (ranks.size === 1) return optimizer.gradientNorm();
  const [squares] = await ranks.sum([optimizer.gradientNorm(ranks.rank === 0) ** 2]);
  return Math.sqrt(squares);
}

/** Updates the parameters; each rank its parts, which the others receive while it goes on. */
export async function updateOverRanks(optimizer: Optimizer, update: Update, ranks: Collectives): Promise<void> {
  const received: Promise<void>[] = [];
  for (const parameter of optimizer.parameters) {
    optimizer.updateOne(parameter, update);
    if (optimizer.partOf(parameter)) received.push(ranks.allGather(parameter.value));
  }
  await Promise.all(received);
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
