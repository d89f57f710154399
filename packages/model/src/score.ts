import * as tf from '@tensorflow/tfjs-core';
import { noGrad, scope, unlearnHead } from '@lethe/tensor';
import { nonFinite } from './finite.js';
import type { Llama } from './llama.js';
import { disposeBatch, rowsOfSequences, toTokenBatch } from './token-batch.js';

/** Indexes of sequences grouped so that a group's padded size stays within the budget; long and short apart. */
function groupsByLength(sequences: ArrayLike<number>[], batchTokens: number): number[][] {
  const order = sequences.map((_, i) => i).sort((a, b) => sequences[b].length - sequences[a].length || a - b);
  const groups: number[][] = [];
  let longest = 0;
  for (const index of order) {
    const group = groups.at(-1);
    if (group && (group.length + 1) * longest <= batchTokens) {
      group.push(index);
    } else {
      groups.push([index]);
      longest = sequences[index].length;
    }
  }
  return groups;
}

function scoreGroup(model: Llama, sequences: ArrayLike<number>[]): Float32Array {
  const rows = rowsOfSequences(sequences);
  const targets = new Int32Array(rows.ids.length).fill(-1);
  sequences.forEach((sequence, r) => {
    for (let t = 0; t + 1 < sequence.length; t++) targets[r * rows.rowLength + t] = sequence[t + 1];
  });
  const batch = toTokenBatch(rows, model.config.slidingWindow);
  const targetTensor = tf.tensor1d(targets, 'int32');
  const nll = noGrad(() =>
    scope(() => {
      const inputs = { hidden: model.hidden(batch), weight: model.headWeight, targets: targetTensor };
      return unlearnHead(inputs, { scales: { forgetting: 0, replay: 0, mitigation: 0 }, rows: ['nll'] }).nll!;
    }),
  );
  const values = nll.dataSync() as Float32Array;
  tf.dispose([nll, targetTensor]);
  disposeBatch(batch);
  return values;
}

/**
 * Log-probability of each token given the ones before it, natural logarithm; null for the first of a sequence.
 * @param batchTokens most tokens, with padding, of one forward pass; the scores do not depend on it.
 * @param nameOf what a sequence is called in errors. Default `sequence 3`.
 * @throws NonFiniteError for a log-probability that is not a finite number.
 */
export function scoreSequences(
  model: Llama,
  sequences: ArrayLike<number>[],
  options: { batchTokens?: number; onProgress?: (done: number) => void; nameOf?: (sequence: number) => string } = {},
): (number | null)[][] {
  const { batchTokens = 4096, onProgress, nameOf = (sequence) => `sequence ${sequence}` } = options;
  const scores: (number | null)[][] = sequences.map(() => []);
  let done = 0;
  for (const group of groupsByLength(sequences, batchTokens)) {
    const members = group.map((index) => sequences[index]);
    const width = members[0].length;
    const nll = scoreGroup(model, members);
    group.forEach((index, r) => {
      const length = sequences[index].length;
      const row = Array.from({ length }, (_, t) => (t === 0 ? null : -nll[r * width + t - 1]));
      const wrong = row.findIndex((value) => value !== null && !Number.isFinite(value));
      if (wrong >= 0) throw nonFinite(model, row[wrong]!, `log-probability of token ${wrong} of ${nameOf(index)}`);
      scores[index] = row;
    });
    done += group.length;
    onProgress?.(done);
  }
  return scores;
}
