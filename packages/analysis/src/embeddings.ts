import * as tf from '@tensorflow/tfjs-core';
import { disposeBatch, type Llama, rowsOfSequences, toTokenBatch } from '@lethe/model';
import { noGrad, scope } from '@lethe/tensor';
import type { Points } from './points.js';

/** The mean over its tokens of each document's last hidden state, after the final norm: vectors [N, hidden]. */
export function documentEmbeddings(
  model: Llama,
  documents: ArrayLike<number>[],
  options: { maxLength?: number; batchRows?: number } = {},
): Points {
  const { batchRows = 8 } = options;
  const maxLength = Math.min(options.maxLength ?? Infinity, model.config.maxPositions);
  const D = model.config.hiddenSize;
  const values = new Float32Array(documents.length * D);
  for (let from = 0; from < documents.length; from += batchRows) {
    const sequences = documents.slice(from, from + batchRows).map((ids) => Array.from(ids).slice(0, maxLength));
    const rows = rowsOfSequences(sequences);
    const batch = toTokenBatch(rows, model.config.slidingWindow);
    const hidden = noGrad(() => scope(() => model.hidden(batch)));
    const states = hidden.dataSync() as Float32Array;
    for (const [r, { length }] of sequences.entries())
      for (let k = 0; k < length * D; k++)
        values[(from + r) * D + (k % D)] += states[r * rows.rowLength * D + k] / length;
    tf.dispose(hidden);
    disposeBatch(batch);
  }
  return { values, count: documents.length };
}
