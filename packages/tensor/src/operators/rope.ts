import * as tf from '@tensorflow/tfjs-core';
import { callOperator } from '../call.js';
import { record } from '../tape.js';
import { expectShape, registerOperator, runOperator } from './register.js';

registerOperator(
  'lethe.rope',
  ({ x, positions, cos, sin }, { inverse }, backend) => {
    const [N, width] = x.shape;
    const [P, R] = cos.shape;
    const y = backend.activation(x.shape, backend.isBf16(x));
    const dims = { N, H: width / (2 * R), R, P };
    callOperator(backend, 'rope', { ...dims, x, positions, cos, sin, y, inverse: Boolean(inverse) });
    return y;
  },
  ({ x, positions, cos, sin }, { inverse }) => {
    const [N, width] = x.shape;
    const R = cos.shape[1]!;
    const [a, b] = tf.split(tf.reshape(x, [N, width! / (2 * R), 2, R]), 2, 2);
    const at = (table: tf.Tensor): tf.Tensor => tf.reshape(tf.gather(table, positions), [N, 1, 1, R]);
    const [c, s] = [at(cos), inverse ? tf.neg(at(sin)) : at(sin)];
    const rotated = tf.concat([tf.sub(tf.mul(a, c), tf.mul(b, s)), tf.add(tf.mul(b, c), tf.mul(a, s))], 2);
    return tf.reshape(rotated, [N, width!]);
  },
);

tf.registerGradient({
  kernelName: 'lethe.rope',
  inputsToSave: ['positions', 'cos', 'sin'],
  gradFunc: (dy, [positions, cos, sin], attrs) => ({
    x: () =>
      runOperator(
        'lethe.rope',
        { x: dy as tf.Tensor, positions, cos, sin },
        { inverse: !(attrs as { inverse?: boolean }).inverse },
      )[0],
  }),
});

/** Cosines and sines of every position's angles, [P, R] each with R half the head size. */
export interface RopeTables {
  cos: tf.Tensor;
  sin: tf.Tensor;
}

/**
 * Rotary position embedding (Su et al. 2021), Hugging Face's half-split layout, on each head of x.
 * @param x [N, H * 2R]; @param positions int32 [N], each below the tables' P.
 */
export function rope(x: tf.Tensor, positions: tf.Tensor, tables: RopeTables): tf.Tensor {
  expectShape('rope', 'positions', positions, [x.shape[0]]);
  const inputs = { positions, cos: tables.cos, sin: tables.sin };
  const [y] = runOperator('lethe.rope', { x, ...inputs }, { inverse: false });
  const backward = ([dy]: (tf.Tensor | undefined)[]): (tf.Tensor | undefined)[] =>
    runOperator('lethe.rope', { x: dy, ...inputs }, { inverse: true });
  record({ inputs: [x], outputs: [y], saved: [positions], backward });
  return y;
}
