import * as tf from '@tensorflow/tfjs-core';
import { type Collectives, type Parameter, readPart, sumGradientsAsOne, writePart } from '@lethe/tensor';
import type { Optimizer } from '../optimizer.js';
import { isLarge } from './divide-optimizer.js';

/**
 * Adds up the gradients of a step over all ranks, each as soon as the backward pass is through with it: it travels while the
 * pass goes on. Every rank sends them from the last parameter to the first, whatever the order in which its own rows make
 * them final. Of a divided parameter each rank gets the sums of its part only.
 */
export class GradientSums {
  private readonly final = new Set<Parameter>();
  private readonly sums: Promise<void>[] = [];
  private readonly waiting: Parameter[];

  constructor(
    private readonly optimizer: Optimizer,
    private readonly ranks: Collectives,
  ) {
    this.waiting = optimizer.parameters.filter(isLarge);
  }

  /** Told of each parameter to whose gradient this rank adds no more in this step. */
  readonly isFinal = (parameter: Parameter): void => {
    this.final.add(parameter);
    while (this.waiting.length > 0 && this.final.has(this.waiting.at(-1)!)) this.send(this.waiting.pop()!);
  };

  private send(parameter: Parameter): void {
    const isDivided = this.optimizer.partOf(parameter) !== undefined;
    const { grad } = parameter;
    this.sums.push(isDivided ? this.ranks.reduceScatter(grad) : this.ranks.allReduce(grad));
  }

  /** Sends what is left, of parameters that no row has reached too, and waits for all sums. */
  async finish(): Promise<void> {
    const { optimizer, ranks } = this;
    while (this.waiting.length > 0) this.send(this.waiting.pop()!);
    const small = optimizer.parameters.filter((parameter) => !isLarge(parameter));
    await Promise.all([...this.sums, sumGradientsAsOne(small, ranks)]);
    await sumRests(
      optimizer.parameters.filter((parameter) => optimizer.partOf(parameter)),
      ranks,
    );
  }
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
