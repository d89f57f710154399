// The head in plain tfjs operations: all logits at once, the same stable forms, for devices without our kernels.
import * as tf from '@tensorflow/tfjs-core';
import { unlearnMethod } from '@lethe/native';
import type { HeadAttributes } from './unlearn-head.js';

type Inputs = Record<string, tf.Tensor>;

/** Rows [from, to) of a matrix or vector. */
const rowsOf = (x: tf.Tensor, from: number, to: number): tf.Tensor =>
  tf.slice(x, [from, ...x.shape.slice(1).map(() => 0)], [to - from, ...x.shape.slice(1)]);

/** Log-sum-exp over the last axis, kept as [.., 1]. */
function logSumExp(z: tf.Tensor): tf.Tensor {
  const top = tf.max(z, -1, true);
  return tf.add(top, tf.log(tf.sum(tf.exp(tf.sub(z, top)), -1, true)));
}

/** log(1 + e^x) without overflow. */
const softplus = (x: tf.Tensor): tf.Tensor => tf.add(tf.relu(x), tf.log1p(tf.exp(tf.neg(tf.abs(x)))));

interface Rows {
  z: tf.Tensor;
  /** One-hot targets [N, V]; zero rows where ignored. */
  target: tf.Tensor;
  /** 1 on valid rows, [N, 1]. */
  valid: tf.Tensor;
  /** m = z_y - LSE over v != y, [N, 1]. */
  margin: tf.Tensor;
  /** softmax over v != y, 0 at y, [N, V]. */
  others: tf.Tensor;
}

function rowsAt({ hidden, weight, targets }: Inputs): Rows {
  const z = tf.matMul(hidden, weight, false, true);
  const valid = tf.expandDims(tf.cast(tf.greaterEqual(targets, 0), 'float32'), 1);
  const target = tf.cast(tf.oneHot(tf.cast(targets, 'int32'), weight.shape[0]), 'float32');
  const hidden_y = tf.add(tf.mul(z, tf.sub(1, target)), tf.mul(target, -1e30));
  const lse = logSumExp(hidden_y);
  const margin = tf.mul(valid, tf.sub(tf.sum(tf.mul(z, target), -1, true), lse));
  return { z, target, valid, margin, others: tf.exp(tf.sub(hidden_y, lse)) };
}

/** 1 on rows of the term, [N, 1]. */
function roleMask(numRows: number, from: number): tf.Tensor {
  return tf.cast(tf.greaterEqual(tf.reshape(tf.range(0, numRows, 1, 'int32'), [numRows, 1]), from), 'float32');
}

interface Original {
  p: tf.Tensor;
  kl: tf.Tensor;
  has: tf.Tensor;
}

/** The original model's probabilities (0 on rows it has none for) and KL(p_ori || p), [N, V] and [N, 1]. */
function originalRows(inputs: Inputs, rows: Rows, numForget: number): Original {
  const [N, V] = rows.z.shape as number[];
  const M = inputs.original_hidden?.shape[0] ?? 0;
  if (M === 0) return { p: tf.zerosLike(rows.z), kl: tf.zeros([N, 1]), has: tf.zeros([N, 1]) };
  const z0 = tf.matMul(inputs.original_hidden, inputs.original_weight, false, true);
  const logp0 = tf.sub(z0, logSumExp(z0));
  const z = rowsOf(rows.z, N - M, N);
  const p0 = tf.exp(logp0);
  const kl = tf.sum(tf.mul(p0, tf.sub(logp0, tf.sub(z, logSumExp(z)))), -1, true);
  const has = tf.mul(rows.valid, roleMask(N, Math.max(N - M, numForget)));
  const above = (x: tf.Tensor, width: number): tf.Tensor => (M === N ? x : tf.concat([tf.zeros([N - M, width]), x], 0));
  return { p: above(p0, V), kl: tf.mul(above(kl, 1), has), has };
}

const LEAST_REST = 1e-5;

/** A forget row's loss and c(p), the weight of its gradient (docs/math.md, section 3), [N, 1] each. */
function forgetting(
  margin: tf.Tensor,
  { method, beta1, beta2 }: HeadAttributes,
): { lossPerRow: tf.Tensor; push: tf.Tensor } {
  const [p, rest] = [tf.sigmoid(margin), tf.sigmoid(tf.neg(margin))];
  const [nll, cost] = [softplus(tf.neg(margin)), softplus(margin)];
  switch (method) {
    case unlearnMethod.ascent: {
      const s = tf.exp(tf.neg(tf.add(tf.mul(nll, beta1), tf.mul(cost, beta2))));
      return { lossPerRow: tf.neg(tf.mul(s, nll)), push: tf.mul(s, rest) };
    }
    case unlearnMethod.probability:
      return { lossPerRow: p, push: tf.mul(p, rest) };
    case unlearnMethod.clamped: {
      const isFree = tf.greater(rest, LEAST_REST);
      const lossPerRow = tf.where(isFree, cost, tf.fill(cost.shape, -Math.log(LEAST_REST)));
      return { lossPerRow, push: tf.where(isFree, p, tf.zerosLike(p)) };
    }
    default:
      return { lossPerRow: cost, push: p };
  }
}

/** Loss, sums and wanted outputs of `lethe.unlearn_head`. */
export function unlearnHeadComposed(inputs: Inputs, attrs: HeadAttributes): tf.Tensor[] {
  const { scales, numForget, wants } = attrs;
  const rows = rowsAt(inputs);
  const N = rows.z.shape[0];
  const isReplay = tf.mul(rows.valid, roleMask(N, numForget));
  const isForget = tf.sub(rows.valid, isReplay);
  const p = tf.mul(rows.valid, tf.sigmoid(rows.margin));
  const nll = tf.mul(rows.valid, softplus(tf.neg(rows.margin)));
  const original = originalRows(inputs, rows, numForget);
  const { lossPerRow, push } = forgetting(rows.margin, attrs);
  const total = (x: tf.Tensor, mask: tf.Tensor): tf.Tensor => tf.reshape(tf.sum(tf.mul(x, mask)), [1]);
  const counts = [total(rows.valid, isForget), total(rows.valid, isReplay)];
  const terms = [total(lossPerRow, isForget), total(nll, isReplay), total(original.kl, isReplay)];
  const sums = tf.concat([...terms, ...counts, total(p, isForget), total(push, isForget), tf.zeros([1])]);
  const loss = tf.sum(tf.mul(sums, tf.tensor1d([...scales, 0, 0, 0, 0, 0])));
  const student = tf.softmax(rows.z);
  const dForget = tf.mul(tf.mul(tf.sub(rows.target, rows.others), push), tf.mul(isForget, scales[0]));
  const dReplay = tf.mul(tf.sub(student, rows.target), tf.mul(isReplay, scales[1]));
  const dKl = tf.mul(tf.sub(student, original.p), tf.mul(original.has, scales[2]));
  const dz = tf.addN([dForget, dReplay, dKl]);
  const made: Record<string, () => tf.Tensor> = {
    dhidden: () => tf.matMul(dz, inputs.weight),
    dweight: () => tf.matMul(dz, inputs.hidden, true, false),
    nll: () => tf.squeeze(nll, [1]),
    p: () => tf.squeeze(p, [1]),
    kl: () => tf.squeeze(original.kl, [1]),
  };
  return [loss, sums, ...wants.map((want) => made[want]())];
}
