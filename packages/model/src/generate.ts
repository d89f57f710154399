import * as tf from '@tensorflow/tfjs-core';
import { noGrad, scope } from '@lethe/tensor';
import type { Random } from '@lethe/run';
import { checkFinite } from './finite.js';
import { KvCache } from './kv-cache.js';
import type { Llama } from './llama.js';
import { sampleToken, type Sampling } from './sampling.js';
import { toTokenBatch, type TokenRows } from './token-batch.js';

/** What to generate and when to stop. */
export interface GenerateOptions extends Sampling {
  maxNewTokens: number;
  /** Generation of a sequence ends after one of these ids, which is not returned. */
  stopIds?: readonly number[];
  random?: Random;
}

/** Sequences of different lengths, padded on the left so that they all end in the same column. */
class LeftPadded {
  readonly width: number;
  constructor(readonly prompts: ArrayLike<number>[]) {
    this.width = Math.max(...prompts.map((prompt) => prompt.length));
  }

  /** The cache rows [from, to) of all sequences as token rows; `idAt` gives a token by sequence and column. */
  rows(from: number, to: number, idAt: (sequence: number, column: number) => number): TokenRows {
    const rowLength = to - from;
    const size = this.prompts.length * rowLength;
    const make = (): Int32Array => new Int32Array(size);
    const rows = {
      ids: make(),
      positions: make(),
      first: make(),
      last: make(),
      numRows: this.prompts.length,
      rowLength,
    };
    this.prompts.forEach((prompt, sequence) => {
      const padding = this.width - prompt.length;
      for (let column = from; column < to; column++) {
        const at = sequence * rowLength + column - from;
        const isPadding = column < padding;
        rows.ids[at] = isPadding ? 0 : idAt(sequence, column);
        rows.positions[at] = isPadding ? 0 : column - padding;
        rows.first[at] = isPadding ? column : padding;
        rows.last[at] = column;
      }
    });
    return rows;
  }
}

/** Logits [B, V] of the token after the last row of each sequence. */
function nextLogits(model: Llama, rows: TokenRows, cache: KvCache): Float32Array {
  let values = new Float32Array();
  // Not returned from tidy, which would look through every number of it for tensors.
  tf.tidy(() => {
    const batch = toTokenBatch(rows, model.config.slidingWindow);
    const logits = noGrad(() =>
      scope(() => {
        const hidden = model.hidden(batch, { cache });
        const D = hidden.shape[1]!;
        const ends = tf.slice(
          tf.reshape(hidden, [rows.numRows, rows.rowLength, D]),
          [0, rows.rowLength - 1, 0],
          [rows.numRows, 1, D],
        );
        return model.logits(tf.reshape(ends, [rows.numRows, D]));
      }),
    );
    values = logits.dataSync() as Float32Array<ArrayBuffer>;
  });
  return values;
}

/**
 * Continues each prompt; the sequences share one pass per token.
 * @returns the new ids of each sequence, without stop ids.
 * @throws NonFiniteError for logits that are not finite numbers.
 * @throws RangeError for an empty prompt or id outside the vocabulary, or when prompt and new tokens exceed the model's context.
 */
export function generate(model: Llama, prompts: ArrayLike<number>[], options: GenerateOptions): number[][] {
  checkPrompts(model, prompts, options);
  const padded = new LeftPadded(prompts);
  const capacity = padded.width + options.maxNewTokens;
  const cache = new KvCache(model.config, prompts.length, capacity);
  const made: number[][] = prompts.map(() => []);
  const isDone = prompts.map(() => false);
  const promptIdAt = (s: number, column: number): number => prompts[s][column - (padded.width - prompts[s].length)];
  const V = model.config.vocabSize;
  try {
    let rows = padded.rows(0, padded.width, promptIdAt);
    for (let step = 0; step < options.maxNewTokens && isDone.includes(false); step++) {
      const logits = nextLogits(model, rows, cache);
      const chosen = prompts.map((_, s) => {
        const row = logits.subarray(s * V, (s + 1) * V);
        if (!isDone[s]) checkFinite(model, row, `logits of token ${made[s].length + 1} after prompt ${s}`);
        return sampleToken(row, options, options.random);
      });
      chosen.forEach((id, s) => {
        if (isDone[s]) return;
        isDone[s] = options.stopIds?.includes(id) ?? false;
        if (!isDone[s]) made[s].push(id);
      });
      rows = padded.rows(padded.width + step, padded.width + step + 1, (s) => chosen[s]);
    }
  } finally {
    cache.dispose();
  }
  return made;
}

function checkPrompts(model: Llama, prompts: ArrayLike<number>[], { maxNewTokens }: GenerateOptions): void {
  const { vocabSize, maxPositions } = model.config;
  prompts.forEach((prompt, s) => {
    if (prompt.length === 0)
      throw new RangeError(`generate: prompt ${s} is empty; start it with the model's BOS token`);
    if (prompt.length + maxNewTokens > maxPositions) {
      throw new RangeError(
        `generate: prompt ${s} has ${prompt.length} tokens, and with ${maxNewTokens} new ones exceeds the model's context of ${maxPositions}`,
      );
    }
    for (let i = 0; i < prompt.length; i++) {
      if (prompt[i] < 0 || prompt[i] >= vocabSize) {
        throw new RangeError(`generate: prompt ${s} has id ${prompt[i]}, expected ids in [0, ${vocabSize})`);
      }
    }
  });
}
