// Attention in plain tfjs operations: the whole [T, S] matrix of scores, for devices without our kernels.
import * as tf from '@tensorflow/tfjs-core';
import type { AttentionSizes } from './attention.js';

type Inputs = Record<string, tf.Tensor>;

/** [B*T, H*D] to [B, H, T, D]. */
const byHead = (x: tf.Tensor, [B, T, H, D]: number[]): tf.Tensor =>
  tf.transpose(tf.reshape(x, [B, T, H, D]), [0, 2, 1, 3]);

/** [B, H, T, D] to [B*T, H*D]. */
function byRow(x: tf.Tensor): tf.Tensor {
  const [B, H, T, D] = x.shape as number[];
  return tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [B * T, H * D]);
}

/** Key/value heads [B*S, K*D] repeated for the query heads that read them: [B, H, S, D]. */
function repeated(x: tf.Tensor, { B, S, H, K, D }: AttentionSizes): tf.Tensor {
  const heads = tf.reshape(byHead(x, [B, S, K, D]), [B, K, 1, S * D]);
  return tf.reshape(tf.tile(heads, [1, 1, H / K, 1]), [B, H, S, D]);
}

/** The reverse of `repeated`: sums the query heads of a group, [B, H, S, D] to [B*S, K*D]. */
function grouped(x: tf.Tensor, { B, S, H, K, D }: AttentionSizes): tf.Tensor {
  return byRow(tf.reshape(tf.sum(tf.reshape(x, [B, K, H / K, S * D]), 2), [B, K, S, D]));
}

/** Which keys a query sees, bool [B, H, T, S]. */
function visible({ first, last }: Inputs, { B, T, S, H }: AttentionSizes): tf.Tensor {
  const key = tf.reshape(tf.range(0, S, 1, 'int32'), [1, 1, S]);
  const at = (bound: tf.Tensor): tf.Tensor => tf.reshape(bound, [B, T, 1]);
  const mask = tf.logicalAnd(tf.greaterEqual(key, at(first)), tf.lessEqual(key, at(last)));
  return tf.cast(tf.tile(tf.cast(tf.expandDims(mask, 1), 'int32'), [1, H, 1, 1]), 'bool');
}

/** Scaled scores [B, H, T, S], unmasked. */
function scores({ q, k }: Inputs, sizes: AttentionSizes, scale: number): tf.Tensor {
  const { B, T, H, D } = sizes;
  return tf.mul(tf.matMul(byHead(q, [B, T, H, D]), repeated(k, sizes), false, true), scale);
}

/** y [B*T, H*D] and lse [B, H, T] of `lethe.attention`. */
export function attentionComposed(inputs: Inputs, sizes: AttentionSizes, scale: number): tf.Tensor[] {
  const mask = visible(inputs, sizes);
  const z = scores(inputs, sizes, scale);
  const shown = tf.where(mask, z, tf.fill(z.shape, -1e30));
  const top = tf.max(shown, -1, true);
  const weights = tf.where(mask, tf.exp(tf.sub(shown, top)), tf.zerosLike(z));
  const total = tf.sum(weights, -1, true);
  const isEmpty = tf.equal(total, 0);
  const p = tf.div(weights, tf.where(isEmpty, tf.onesLike(total), total));
  const lse = tf.where(isEmpty, tf.fill(total.shape, -Infinity), tf.add(top, tf.log(total)));
  return [byRow(tf.matMul(p, repeated(inputs.v, sizes))), tf.squeeze(lse, [3])];
}

/** dq, dk, dv of `lethe.attention_backward`. */
export function attentionBackwardComposed(inputs: Inputs, sizes: AttentionSizes, scale: number): tf.Tensor[] {
  const { B, T, H, D } = sizes;
  const mask = visible(inputs, sizes);
  const z = scores(inputs, sizes, scale);
  const p = tf.where(mask, tf.exp(tf.sub(z, tf.expandDims(inputs.lse, 3))), tf.zerosLike(z));
  const dy = byHead(inputs.dy, [B, T, H, D]);
  const dv = tf.matMul(p, dy, true, false);
  const dp = tf.matMul(dy, repeated(inputs.v, sizes), false, true);
  const delta = tf.sum(tf.mul(dy, byHead(inputs.y, [B, T, H, D])), -1, true);
  const dz = tf.mul(tf.mul(p, tf.sub(dp, delta)), scale);
  const dq = tf.matMul(dz, repeated(inputs.k, sizes));
  const dk = tf.matMul(dz, byHead(inputs.q, [B, T, H, D]), true, false);
  return [byRow(dq), grouped(dk, sizes), grouped(dv, sizes)];
}
