import * as tf from '@tensorflow/tfjs-core';
import { appendRows, zeroActivation } from '@lethe/tensor';
import type { LlamaConfig } from './config.js';

/** Keys and values of the tokens read so far, for `numRows` sequences of at most `capacity` tokens. */
export class KvCache {
  private readonly keys: tf.Variable[] = [];
  private readonly values: tf.Variable[] = [];
  private filled = 0;

  constructor(
    config: LlamaConfig,
    readonly numRows: number,
    readonly capacity: number,
  ) {
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

  /** Releases the memory. */
  dispose(): void {
    for (const tensor of [...this.keys, ...this.values]) tensor.dispose();
  }
}
