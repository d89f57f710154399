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
 * Indexes of fp32 values, largest first, of equals the smaller index. Each value's bits, in an order in which integers
 * compare as the floats do, and its index share one double (32 + 21 bits): numbers sort faster than by a comparison.
 */
export function descendingOrder(values: Float32Array): Uint32Array {
  const bits = new Int32Array(values.map((value) => value + 0).buffer); // -0 becomes 0
  const keys = new Float64Array(bits.length);
  for (let index = 0; index < bits.length; index++) {
    const word = bits[index];
    // The bits of positive floats rise with them (word >= 0), those of negative ones fall (word < 0).
    keys[index] = (word < 0 ? word + 4294967296 : 2147483647 - word) * 2097152 + index;
  }
  keys.sort();
  const order = new Uint32Array(keys.length);
  for (let at = 0; at < keys.length; at++) order[at] = keys[at] % 2097152;
  return order;
}

/**
 * Draws a token id from logits [V].
 * @throws RangeError when sampling at a temperature above 0 without a source of randomness.
 */
export function sampleToken(logits: Float32Array, sampling: Sampling, random?: Random): number {
  const { temperature = 0, topK = 0, topP = 1 } = sampling;
  if (temperature === 0) return argmax(logits);
  if (!random) throw new RangeError('sampling at a temperature above 0 needs a seeded random stream');
  const order = descendingOrder(logits);
  const kept = topK > 0 ? order.subarray(0, topK) : order;
  const weights = Float64Array.from(kept, (id) => Math.exp((logits[id] - logits[kept[0]]) / temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let count = 0;
  for (let mass = 0; count < kept.length && (count === 0 || mass < topP * total); count++) mass += weights[count];
  const reach = weights.subarray(0, count).reduce((sum, weight) => sum + weight, 0);
  let left = random.next() * reach;
  for (let i = 0; i < count; i++) {
    left -= weights[i];
    if (left < 0) return kept[i];
  }
  return kept[count - 1];
}
