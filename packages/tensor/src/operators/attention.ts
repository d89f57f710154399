import * as tf from '@tensorflow/tfjs-core';
import { callOperator } from '../call.js';
import type { KernelAttributes } from '../kernels/register.js';
import { record } from '../tape.js';
import { attentionBackwardComposed, attentionComposed } from './attention-composed.js';
import { expectShape, registerOperator, runOperator } from './register.js';

/** Sizes of an attention call: B sequences, T queries, S key rows, H query heads, K key/value heads, D head size. */
export interface AttentionSizes {
  B: number;
  T: number;
  S: number;
  H: number;
  K: number;
  D: number;
}

const sizesOf = ({ B, T, S, H, K, D }: KernelAttributes): AttentionSizes => ({ B, T, S, H, K, D }) as AttentionSizes;

registerOperator(
  'lethe.attention',
  ({ q, k, v, first, last }, attrs, backend) => {
    const sizes = sizesOf(attrs);
    const y = backend.activation([sizes.B * sizes.T, sizes.H * sizes.D], backend.isBf16(q));
    const lse = backend.output([sizes.B, sizes.H, sizes.T]);
    const scale = attrs.scale as number;
    callOperator(backend, 'attention', { ...sizes, q, k, v, first, last, y, lse, scale });
    return [y, lse];
  },
  (inputs, attrs) => attentionComposed(inputs, sizesOf(attrs), attrs.scale as number),
);

registerOperator(
  'lethe.attention_backward',
  ({ q, k, v, first, last, y, lse, dy }, attrs, backend) => {
    const sizes = sizesOf(attrs);
    const [dq, dk, dv] = [q, k, v].map((x) => backend.activation(x.shape, backend.isBf16(x)));
    const scale = attrs.scale as number;
    callOperator(backend, 'attention_backward', { ...sizes, q, k, v, first, last, y, lse, dy, dq, dk, dv, scale });
    return [dq, dk, dv];
  },
  (inputs, attrs) => attentionBackwardComposed(inputs, sizesOf(attrs), attrs.scale as number),
);

tf.registerGradient({
  kernelName: 'lethe.attention',
  inputsToSave: ['q', 'k', 'v', 'first', 'last'],
  outputsToSave: [true, true],
  gradFunc: (dys, [q, k, v, first, last, y, lse], attrs) => {
    const inputs = { q, k, v, first, last, y, lse, dy: (dys as tf.Tensor[])[0] };
    const [dq, dk, dv] = runOperator('lethe.attention_backward', inputs, attrs as KernelAttributes);
    return { q: () => dq, k: () => dk, v: () => dv };
  },
});

/** The inputs of attention: q [B*T, H*D], k and v [B*S, K*D], and the visible key rows of each query, int32 [B*T]. */
export interface AttentionInputs {
  q: tf.Tensor;
  k: tf.Tensor;
  v: tf.Tensor;
  first: tf.Tensor;
  last: tf.Tensor;
}

/**
 * Attention of each query over the key rows first..last of its sequence (inclusive), which expresses causal masks,
 * packed documents, sliding windows and key/value caches alike. Grouped-query: head h reads key head h / (H / K).
 * Scores are scaled by 1 / sqrt(D).
 * @returns [B*T, H*D].
 */
export function attention(inputs: AttentionInputs, sizes: AttentionSizes): tf.Tensor {
  const { q, k, v, first, last } = inputs;
  const { B, T, S, H, K, D } = sizes;
  expectShape('attention', 'q', q, [B * T, H * D]);
  expectShape('attention', 'k', k, [B * S, K * D]);
  expectShape('attention', 'v', v, [B * S, K * D]);
  expectShape('attention', 'first', first, [B * T]);
  expectShape('attention', 'last', last, [B * T]);
  const attributes = { B, T, S, H, K, D, scale: 1 / Math.sqrt(D) };
  const [y, lse] = runOperator('lethe.attention', { q, k, v, first, last }, attributes);
  const backward = ([dy]: (tf.Tensor | undefined)[]): tf.Tensor[] =>
    runOperator('lethe.attention_backward', { q, k, v, first, last, y, lse, dy }, attributes);
  record({ inputs: [q, k, v], outputs: [y, lse], saved: [q, k, v, first, last, y, lse], backward });
  return y;
}
