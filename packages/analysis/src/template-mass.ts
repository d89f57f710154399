import * as tf from '@tensorflow/tfjs-core';
import { disposeBatch, type Llama, rowsOfSequences, toTokenBatch } from '@lethe/model';
import { embedding, noGrad, scope } from '@lethe/tensor';

/** Row numbers of the real tokens (not padding) of padded sequences. */
function realRows(sequences: ArrayLike<number>[], rowLength: number): Int32Array {
  return Int32Array.from(
    sequences.flatMap((sequence, r) => Array.from({ length: sequence.length }, (_, t) => r * rowLength + t)),
  );
}

/** Sum over rows of the probability that falls on `ids`, from logits [rows, V]. */
function massOf(logits: Float32Array, V: number, ids: readonly number[]): number {
  let mass = 0;
  for (let from = 0; from < logits.length; from += V) {
    const row = logits.subarray(from, from + V);
    let top = -Infinity;
    for (let v = 0; v < V; v++) top = Math.max(top, row[v]);
    let total = 0;
    for (let v = 0; v < V; v++) total += Math.exp(row[v] - top);
    let part = 0;
    for (const id of ids) part += Math.exp(row[id] - top);
    mass += part / total;
  }
  return mass;
}

/**
 * The mean probability that a model puts on a set of tokens at the positions of given documents: how strongly it leans
 * towards a template's fixed words.
 */
export function templateMass(
  model: Llama,
  documents: ArrayLike<number>[],
  options: { templateIds: readonly number[]; maxLength?: number; batchRows?: number },
): number {
  const { templateIds, batchRows = 8 } = options;
  const maxLength = Math.min(options.maxLength ?? Infinity, model.config.maxPositions);
  const V = model.config.vocabSize;
  let [mass, count] = [0, 0];
  for (let from = 0; from < documents.length; from += batchRows) {
    const sequences = documents.slice(from, from + batchRows).map((ids) => Array.from(ids).slice(0, maxLength));
    const rows = rowsOfSequences(sequences);
    const batch = toTokenBatch(rows, model.config.slidingWindow);
    const kept = tf.tensor1d(realRows(sequences, rows.rowLength), 'int32');
    const logits = noGrad(() => scope(() => model.logits(embedding(kept, model.hidden(batch)))));
    mass += massOf(logits.dataSync() as Float32Array, V, templateIds);
    count += kept.size;
    tf.dispose([logits, kept]);
    disposeBatch(batch);
  }
  return mass / count;
}
