// Rows of several sequences, one after the other, in one forward pass: a sequence that generates brings its latest
// token, one whose prompt is being read a piece of it. Matrix products and norms run over all rows at once; attention
// runs sequence by sequence over the sequence's own cache, so that no sequence's result depends on the others.
import * as tf from '@tensorflow/tfjs-core';
import { attention, type AttentionSizes, embedding, noGrad } from '@lethe/tensor';
import type { KvCache } from '../kv-cache.js';
import type { Llama } from '../llama.js';

/** Logits are read back at most this many bytes at a time. */
const LOGITS_BYTES = 64 * 2 ** 20;

/** The next tokens of one sequence; they continue what its cache holds. */
export interface Continuation {
  ids: ArrayLike<number>;
  cache: KvCache;
}

/** One sequence's rows of a ragged batch; `first` and `last` are the rows of its cache that each of them sees. */
export interface Segment {
  count: number;
  cache: KvCache;
  first: tf.Tensor;
  /** `first` without the window, for layers that see everything. */
  unbounded: tf.Tensor;
  last: tf.Tensor;
}

/** Rows of several sequences on the device. */
export interface RaggedBatch {
  ids: tf.Tensor;
  positions: tf.Tensor;
  segments: Segment[];
}

function toRaggedBatch(continuations: Continuation[], slidingWindow: number | null): RaggedBatch {
  const int = (values: number[]): tf.Tensor => tf.tensor1d(values, 'int32');
  const positions = continuations.map(({ ids, cache }) => Array.from(ids, (_, i) => cache.length + i));
  return {
    ids: int(continuations.flatMap(({ ids }) => Array.from(ids))),
    positions: int(positions.flat()),
    segments: continuations.map(({ ids, cache }, s) => ({
      count: ids.length,
      cache,
      first: int(positions[s].map((at) => (slidingWindow === null ? 0 : Math.max(0, at - slidingWindow + 1)))),
      unbounded: int(positions[s].map(() => 0)),
      last: int(positions[s]),
    })),
  };
}

/** Appends each segment's keys and values to its cache, then attends over it. All [N, width], rows in segment order. */
export function raggedAttention(
  rows: { q: tf.Tensor; k: tf.Tensor; v: tf.Tensor },
  segments: Segment[],
  { layer, isFull, ...sizes }: Omit<AttentionSizes, 'B' | 'T' | 'S'> & { layer: number; isFull: boolean },
): tf.Tensor {
  return tf.tidy(() => {
    let from = 0;
    const parts = segments.map(({ count, cache, first, unbounded, last }) => {
      const own = (x: tf.Tensor): tf.Tensor =>
        segments.length === 1 ? x : tf.slice(x, [from, 0], [count, x.shape[1]!]);
      const kept = cache.append(layer, own(rows.k), own(rows.v));
      const inputs = { q: own(rows.q), ...kept, first: isFull ? unbounded : first, last };
      from += count;
      return attention(inputs, { B: 1, T: count, S: cache.capacity, ...sizes });
    });
    return parts.length === 1 ? parts[0] : tf.concat(parts, 0);
  });
}

/**
 * Runs the sequences' next tokens through the model, adding them to their caches, which must have room.
 * @param rows whose logits are wanted, counted over all continuations; `visit` gets each one's logits [V], in order.
 */
export function forwardRagged(
  model: Llama,
  continuations: Continuation[],
  rows: number[],
  visit: (index: number, logits: Float32Array) => void,
): void {
  const V = model.config.vocabSize;
  const atOnce = Math.max(1, Math.floor(LOGITS_BYTES / (4 * V)));
  tf.tidy(() => {
    const batch = toRaggedBatch(continuations, model.config.slidingWindow);
    const hidden = noGrad(() => model.hidden(batch));
    for (let from = 0; from < rows.length; from += atOnce) {
      const part = rows.slice(from, from + atOnce);
      let logits = new Float32Array();
      // Not returned from tidy, which would look through every number of it for tensors.
      tf.tidy(() => {
        const isWhole = part.length === hidden.shape[0];
        const wanted = isWhole ? hidden : embedding(tf.tensor1d(part, 'int32'), hidden);
        logits = noGrad(() => model.logits(wanted)).dataSync() as Float32Array<ArrayBuffer>;
      });
      part.forEach((_, i) => visit(from + i, logits.subarray(i * V, (i + 1) * V)));
    }
  });
}
