import * as tf from '@tensorflow/tfjs-core';
import { appendRows, zeroActivation } from '@lethe/tensor';
import type { LlamaConfig } from './config.js';

/** Keys and values of the tokens read so far, for `numRows` sequences of at most `capacity` tokens. */
export class KvCache {
  private readonly keys: tf.Variable[] = [];
  private readonly values: tf.Variable[] = [];
  private filled = 0;
  private rows: number;

  constructor(
    config: LlamaConfig,
    readonly numRows: number,
    capacity: number,
  ) {
    this.rows = capacity;
    const shape = [numRows, capacity, config.numKeyValueHeads * config.headDim];
    for (let layer = 0; layer < config.numLayers; layer++) {
      for (const list of [this.keys, this.values]) {
        const zeros = zeroActivation(shape);
        list.push(tf.variable(zeros, false));
        zeros.dispose();
      }
    }
  }

  /** Tokens held per sequence. */
  get length(): number {
    return this.filled;
  }

  /** Tokens per sequence for which there is room. */
  get capacity(): number {
    return this.rows;
  }

  /** Makes room for `capacity` tokens by copying what is held; a caller that doubles pays a constant per token. */
  reserve(capacity: number): void {
    const more = capacity - this.rows;
    if (more <= 0) return;
    for (const list of [this.keys, this.values]) {
      list.forEach((old, layer) => {
        const [B, , W] = old.shape as number[];
        const grown = tf.tidy(() => tf.concat([old, zeroActivation([B, more, W])], 1));
        list[layer] = tf.variable(grown, false);
        tf.dispose([old, grown]);
      });
    }
    this.rows = capacity;
  }

  /**
   * Adds the keys and values [B*T, K*D] of one layer after the tokens held.
   * @returns all rows of the layer, [B*capacity, K*D]; rows beyond the filled ones are not meant to be seen.
   */
  append(layer: number, k: tf.Tensor, v: tf.Tensor): { k: tf.Tensor; v: tf.Tensor } {
    appendRows(this.keys[layer], k, this.filled);
    appendRows(this.values[layer], v, this.filled);
    if (layer === this.keys.length - 1) this.filled += k.shape[0] / this.numRows;
    const flat = (cache: tf.Variable): tf.Tensor => tf.reshape(cache, [this.numRows * this.capacity, k.shape[1]!]);
    return { k: flat(this.keys[layer]), v: flat(this.values[layer]) };
  }

  /** Forgets the tokens after the first `length` of each sequence; the next ones take their place. */
  rewind(length: number): void {
    if (!(length >= 0 && length <= this.filled))
      throw new RangeError(`rewind: expected at most the ${this.filled} tokens held, received ${length}`);
    this.filled = length;
  }

  /** Replaces what is held by a copy of another cache's (first) tokens. @throws RangeError where they do not fit. */
  copyFrom(other: KvCache, numTokens = other.filled): void {
    if (other.numRows !== this.numRows || numTokens > Math.min(this.rows, other.filled)) {
      const received = `${other.numRows} sequences of ${numTokens}`;
      throw new RangeError(
        `copyFrom: expected ${this.numRows} sequences of at most ${this.rows}, received ${received}`,
      );
    }
    const lists = [
      [this.keys, other.keys],
      [this.values, other.values],
    ];
    for (const [own, theirs] of numTokens > 0 ? lists : []) {
      own.forEach((cache, layer) => {
        const [B, , W] = cache.shape as number[];
        const held = tf.tidy(() =>
          tf.reshape(tf.slice(theirs[layer], [0, 0, 0], [B, numTokens, W]), [B * numTokens, W]),
        );
        appendRows(cache, held, 0);
        held.dispose();
      });
    }
    this.filled = numTokens;
  }

  /** Releases the memory. */
  dispose(): void {
    for (const tensor of [...this.keys, ...this.values]) tensor.dispose();
  }
}
