import type { Random } from '@lethe/run';

/** How a token is chosen. Temperature 0 is greedy: the smallest id among the most likely. */
export interface Sampling {
  temperature?: number;
  /** Only the k most likely tokens; 0 or absent = all. */
  topK?: number;
  /** Only the smallest set of most likely tokens whose probabilities sum to at least p; 1 or absent = all. */
  topP?: number;
}

/** The index of the largest value, the first of equals. */
export function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}

/**
 * Draws a token id from logits [V].
 * @throws RangeError when sampling at a temperature above 0 without a source of randomness.
 */
export function sampleToken(logits: Float32Array, sampling: Sampling, random?: Random): number {
  const { temperature = 0, topK = 0, topP = 1 } = sampling;
  if (temperature === 0) return argmax(logits);
  if (!random) throw new RangeError('sampling at a temperature above 0 needs a seeded random stream');
  const order = Array.from(logits.keys()).sort((a, b) => logits[b] - logits[a] || a - b);
  const kept = topK > 0 ? order.slice(0, topK) : order;
  const weights = kept.map((id) => Math.exp((logits[id] - logits[kept[0]]) / temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let count = 0;
  for (let mass = 0; count < kept.length && (count === 0 || mass < topP * total); count++) mass += weights[count];
  const reach = weights.slice(0, count).reduce((sum, weight) => sum + weight, 0);
  let left = random.next() * reach;
  for (let i = 0; i < count; i++) {
    left -= weights[i];
    if (left < 0) return kept[i];
  }
  return kept[count - 1];
}
