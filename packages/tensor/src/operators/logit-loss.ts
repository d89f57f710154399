// A loss of rows that needs all their logits at once, beside the fused head: products on the device, the loss and its
// gradient in double precision here. Traffic: every logit is read once and its gradient written once.
import * as tf from '@tensorflow/tfjs-core';
import { asActivation } from '../storage.js';
import { accumulator, isLive, noGrad, record } from '../tape.js';
import { embedding } from './embedding.js';
import { linear } from './linear.js';
import { expectShape, runOperator } from './register.js';

/** Bytes of a chunk's logits. */
const CHUNK_BYTES = 64 * 2 ** 20;

/** One row's logits [V], and those of the original model where there is one. */
export interface LogitRow {
  /** The row's number in `hidden`. */
  n: number;
  z: Float32Array;
  original?: Float32Array;
}

/** Writes d loss / d z into `dz` [V], which holds zeros, and returns the loss. */
export type LogitLoss = (row: LogitRow, dz: Float32Array) => number;

/** The inputs of {@link logitLoss}. */
export interface LogitInputs {
  /** Final hidden states [N, D]. */
  hidden: tf.Tensor;
  /** Output embedding [V, D]. */
  weight: tf.Tensor;
  /** The rows that have a loss, in order. */
  rows: readonly number[];
  /** The original model's hidden states [F, D], row n beside row n of `hidden`, and its output embedding; both or neither. */
  originalHidden?: tf.Tensor;
  originalWeight?: tf.Tensor;
}

/**
 * scale * sum over `rows` of a loss of their logits, a scalar. The gradient is computed in the same pass, and only where it
 * will be asked for. Where several rows share work, `loss` sees them in order.
 * @throws RangeError on shapes that do not fit.
 */
export function logitLoss(inputs: LogitInputs, scale: number, loss: LogitLoss): tf.Tensor {
  const { hidden, weight, rows, originalHidden, originalWeight } = inputs;
  const [N, D] = hidden.shape as number[];
  const V = weight.shape[0];
  expectShape('logitLoss', 'weight', weight, [V, D]);
  if (originalWeight) expectShape('logitLoss', 'originalWeight', originalWeight, [V, D]);
  const wantsGradient = scale !== 0 && (isLive(hidden) || isLive(weight));
  const into = isLive(weight) ? accumulator(weight) : undefined;
  const pass = new LogitPass({ N, V, D }, wantsGradient, into);
  const size = Math.max(1, Math.floor(CHUNK_BYTES / (4 * V)));
  noGrad(() => {
    for (let from = 0; from < rows.length; from += size) {
      const chunk = rows.slice(from, from + size);
      const z = logitsOf(chunk, hidden, weight);
      const original =
        originalHidden && originalWeight ? logitsOf(chunk, originalHidden, originalWeight).values : undefined;
      pass.run({ chunk, z, original, weight, scale }, loss);
    }
  });
  const value = tf.scalar(scale * pass.total);
  const made = [pass.dhidden(), pass.dweight].filter((tensor) => tensor !== undefined);
  const backward = ([dloss]: (tf.Tensor | undefined)[]): (tf.Tensor | undefined)[] => {
    const scaled = made.map((gradient) => tf.mul(gradient, dloss!));
    return wantsGradient ? [scaled[0], scaled[1]] : [undefined, undefined];
  };
  record({ inputs: [hidden, weight], outputs: [value, ...made], saved: made, backward });
  return value;
}

interface Logits {
  hidden: tf.Tensor;
  values: Float32Array;
}

/** The logits of some rows, in fp32. */
function logitsOf(rows: readonly number[], hidden: tf.Tensor, weight: tf.Tensor): Logits {
  const ids = tf.tensor1d(rows as number[], 'int32');
  const picked = embedding(ids, hidden);
  const logits = linear(picked, weight, undefined, { fp32: true });
  const values = logits.dataSync() as Float32Array;
  tf.dispose([ids, logits]);
  return { hidden: picked, values };
}

interface LogitChunk {
  chunk: readonly number[];
  z: Logits;
  original: Float32Array | undefined;
  weight: tf.Tensor;
  scale: number;
}

/** Adds up losses and gradients over chunks of rows. */
class LogitPass {
  total = 0;
  /** The gradient of the output embedding, where there is nothing to add it to. */
  dweight: tf.Tensor | undefined;
  private readonly states: Float32Array | undefined;

  constructor(
    private readonly sizes: { N: number; V: number; D: number },
    private readonly wantsGradient: boolean,
    private readonly into: tf.Tensor | undefined,
  ) {
    if (wantsGradient) this.states = new Float32Array(sizes.N * sizes.D);
  }

  run({ chunk, z, original, weight, scale }: LogitChunk, loss: LogitLoss): void {
    const { V } = this.sizes;
    const dz = new Float32Array(chunk.length * V);
    for (const [i, n] of chunk.entries()) {
      const cut = (values: Float32Array): Float32Array => values.subarray(i * V, (i + 1) * V);
      this.total += loss({ n, z: cut(z.values), original: original && cut(original) }, cut(dz));
    }
    if (this.wantsGradient) {
      for (let i = 0; i < dz.length; i++) dz[i] *= scale;
      this.addGradients(chunk, z.hidden, weight, dz);
    }
    z.hidden.dispose();
  }

  private addGradients(chunk: readonly number[], x: tf.Tensor, weight: tf.Tensor, values: Float32Array): void {
    const { V, D } = this.sizes;
    const dy = tf.tensor2d(values, [chunk.length, V]);
    const inputs = { x, weight, dy, dweight: this.into };
    const [dx, dweight] = runOperator('lethe.linear_backward', inputs, { wants: ['dx', 'dweight'] });
    const found = dx.dataSync() as Float32Array;
    for (const [i, n] of chunk.entries()) this.states!.set(found.subarray(i * D, (i + 1) * D), n * D);
    if (dweight) {
      const sum = this.dweight ? tf.add(this.dweight, dweight) : tf.clone(dweight);
      this.dweight?.dispose();
      this.dweight = sum;
      dweight.dispose();
    }
    tf.dispose([dy, dx]);
  }

  /** The gradient of the hidden states [N, D], 0 on rows without a loss, held as these are. */
  dhidden(): tf.Tensor | undefined {
    const { N, D } = this.sizes;
    return this.states && asActivation(tf.tensor2d(this.states, [N, D]));
  }
}
