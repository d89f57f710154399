import * as tf from '@tensorflow/tfjs-core';
import type { LetheBackend } from '../backend.js';
import { callOperator } from '../call.js';
import type { KernelAttributes, RegisterKernel } from './register.js';

function reduce(backend: LetheBackend, x: tf.TensorInfo, attrs: KernelAttributes, kind: number): tf.TensorInfo {
  const axis = (attrs.axis ?? attrs.reductionIndices) as number[];
  const axes = tf.util.parseAxisParam(axis, x.shape).sort((p, q) => p - q);
  const from = axes[0] ?? 0;
  const to = axes.length > 0 ? axes[axes.length - 1] + 1 : from;
  if (to - from !== axes.length) throw new RangeError(`lethe devices reduce adjacent axes, received [${axes}]`);
  const size = tf.util.sizeFromShape;
  const kept = attrs.keepDims ? axes.map(() => 1) : [];
  const y = backend.output([...x.shape.slice(0, from), ...kept, ...x.shape.slice(to)]);
  const dims = { O: size(x.shape.slice(0, from)), D: size(x.shape.slice(from, to)), I: size(x.shape.slice(to)) };
  callOperator(backend, 'reduce', { ...dims, x, y, kind });
  return y;
}

function matmul(
  backend: LetheBackend,
  a: tf.TensorInfo,
  b: tf.TensorInfo,
  transpose: [boolean, boolean],
): tf.TensorInfo {
  const [rank, other] = [a.shape.length, b.shape.length];
  const [M, K] = transpose[0] ? [a.shape[rank - 1], a.shape[rank - 2]] : [a.shape[rank - 2], a.shape[rank - 1]];
  const N = transpose[1] ? b.shape[other - 2] : b.shape[other - 1];
  const batch = tf.broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const size = tf.util.sizeFromShape;
  const y = backend.output([...batch, M, N]);
  const dims = { P: size(batch), A: size(a.shape.slice(0, -2)), B: size(b.shape.slice(0, -2)), M, N, K };
  callOperator(backend, 'matmul', { ...dims, a, b, y, transpose_a: transpose[0], transpose_b: transpose[1] });
  return y;
}

/** tfjs's reductions and matrix products. */
export function registerReductions(register: RegisterKernel): void {
  [tf.Sum, tf.Mean, tf.Max].forEach((name, kind) => {
    register(name, ({ x }, attrs, backend) => reduce(backend, x, attrs, kind));
  });
  register(tf.BatchMatMul, ({ a, b }, { transposeA, transposeB }, backend) =>
    matmul(backend, a, b, [Boolean(transposeA), Boolean(transposeB)]),
  );
}
