import * as tf from '@tensorflow/tfjs-core';
import { callOperator } from '../call.js';
import { canRebuild } from '../rebuild.js';
import { accumulator, isLive, record } from '../tape.js';
import { expectShape, registerOperator, runOperator } from './register.js';

// Outputs: y, rstd and, with a residual, the sum x + residual.
registerOperator(
  'lethe.rms_norm',
  ({ x, residual, weight }, { epsilon }, backend) => {
    const [N, D] = x.shape;
    const bf16 = backend.isBf16(x);
    const [y, rstd] = [backend.activation([N, D], bf16), backend.output([N])];
    const sum = residual ? backend.activation([N, D], bf16) : undefined;
    callOperator(backend, 'rms_norm', { N, D, x, residual, weight, sum, y, rstd, epsilon: epsilon as number });
    return sum ? [y, rstd, sum] : [y, rstd];
  },
  ({ x, residual, weight }, { epsilon }) => {
    const sum = residual ? tf.add(x, residual) : x;
    const rstd = tf.rsqrt(tf.add(tf.mean(tf.square(sum), -1), epsilon as number));
    const y = tf.mul(tf.mul(sum, tf.expandDims(rstd, -1)), weight);
    return residual ? [y, rstd, sum] : [y, rstd];
  },
);

// Outputs: dx and, unless an accumulator `dweight` was given or none is wanted, dweight.
registerOperator(
  'lethe.rms_norm_backward',
  ({ x, weight, rstd, dy, dsum, dweight }, { wantWeight }, backend) => {
    const [N, D] = x.shape;
    const dx = backend.activation([N, D], backend.isBf16(x));
    const made = wantWeight && !dweight ? backend.output([D]) : undefined;
    if (made) callOperator(backend, 'fill', { N: D, y: made, value: 0 });
    const target = wantWeight ? (dweight ?? made) : undefined;
    callOperator(backend, 'rms_norm_backward', { N, D, x, weight, rstd, dy, dsum, dx, dweight: target });
    return made ? [dx, made] : [dx];
  },
  ({ x, weight, rstd, dy, dsum }, { wantWeight }) => {
    const scale = tf.expandDims(rstd, -1);
    const normalised = tf.mul(x, scale);
    const dn = tf.mul(dy, weight);
    const inner = tf.mean(tf.mul(dn, normalised), -1, true);
    const through = tf.mul(scale, tf.sub(dn, tf.mul(normalised, inner)));
    const dx = dsum ? tf.add(through, dsum) : through;
    return wantWeight ? [dx, tf.sum(tf.mul(dy, normalised), 0)] : [dx];
  },
);

tf.registerGradient({
  kernelName: 'lethe.rms_norm',
  inputsToSave: ['x', 'weight'],
  outputsToSave: [false, true, true],
  gradFunc: (dys, [x, weight, rstd, sum]) => {
    const [dy, , dsum] = dys as tf.Tensor[];
    const inputs = { x: sum ?? x, weight, rstd, dy, dsum };
    const [dx, dweight] = runOperator('lethe.rms_norm_backward', inputs, { wantWeight: true });
    return { x: () => dx, weight: () => dweight, residual: () => tf.clone(dx) };
  },
});

/** What rmsNorm returns: y, and the sum it normalised (x itself without a residual). */
export interface RmsNormResult {
  y: tf.Tensor;
  sum: tf.Tensor;
}

/**
 * Root-mean-square normalisation (Zhang & Sennrich 2019) of x, or of x + residual:
 * y = s / sqrt(mean(s^2) + epsilon) * weight.
 * @param x [N, D]; @param weight [D]; `residual` [N, D].
 */
export function rmsNorm(
  x: tf.Tensor,
  weight: tf.Tensor,
  options: { epsilon: number; residual?: tf.Tensor },
): RmsNormResult {
  const { residual, epsilon } = options;
  if (residual) expectShape('rmsNorm', 'residual', residual, x.shape);
  expectShape('rmsNorm', 'weight', weight, [(x.shape as number[])[1]]);
  const [y, rstd, added] = runOperator('lethe.rms_norm', { x, residual, weight }, { epsilon });
  const sum = added ?? x;
  const backward = ([dy, , dsum]: (tf.Tensor | undefined)[]): (tf.Tensor | undefined)[] => {
    const inputs = { x: sum, weight, rstd, dy: dy ?? tf.zerosLike(dsum!), dsum, dweight: accumulator(weight) };
    const [dx, dweight] = runOperator('lethe.rms_norm_backward', inputs, { wantWeight: isLive(weight) });
    if (!dy) inputs.dy.dispose();
    return [dx, dweight, residual && isLive(residual) ? tf.clone(dx) : undefined];
  };
  canRebuild(y, [sum], () => {
    const [again, statistic] = runOperator('lethe.rms_norm', { x: sum, weight }, { epsilon });
    statistic.dispose();
    return again;
  });
  const outputs = added ? [y, rstd, added] : [y, rstd];
  record({ inputs: [x, weight, residual], outputs, saved: [sum, rstd], backward });
  return { y, sum };
}
