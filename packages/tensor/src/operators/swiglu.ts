import * as tf from '@tensorflow/tfjs-core';
import { callOperator } from '../call.js';
import { canRebuild } from '../rebuild.js';
import { record } from '../tape.js';
import { expectShape, registerOperator, runOperator } from './register.js';

registerOperator(
  'lethe.swiglu',
  ({ gate, up }, _attrs, backend) => {
    const [N, F] = gate.shape;
    const y = backend.activation([N, F], backend.isBf16(gate));
    callOperator(backend, 'swiglu', { N, F, gate, up, y });
    return y;
  },
  ({ gate, up }) => tf.mul(tf.mul(gate, tf.sigmoid(gate)), up),
);

registerOperator(
  'lethe.swiglu_backward',
  ({ gate, up, dy }, _attrs, backend) => {
    const [N, F] = gate.shape;
    const [dgate, dup] = [gate, up].map((x) => backend.activation([N, F], backend.isBf16(x)));
    callOperator(backend, 'swiglu_backward', { N, F, gate, up, dy, dgate, dup });
    return [dgate, dup];
  },
  ({ gate, up, dy }) => {
    const s = tf.sigmoid(gate);
    const silu = tf.mul(gate, s);
    const slope = tf.add(s, tf.mul(silu, tf.sub(1, s)));
    return [tf.mul(tf.mul(dy, up), slope), tf.mul(dy, silu)];
  },
);

tf.registerGradient({
  kernelName: 'lethe.swiglu',
  inputsToSave: ['gate', 'up'],
  gradFunc: (dy, [gate, up]) => {
    const [dgate, dup] = runOperator('lethe.swiglu_backward', { gate, up, dy: dy as tf.Tensor });
    return { gate: () => dgate, up: () => dup };
  },
});

/**
 * y = silu(gate) * up (Shazeer 2020).
 * @param gate [N, F]; @param up [N, F].
 */
export function swiglu(gate: tf.Tensor, up: tf.Tensor): tf.Tensor {
  expectShape('swiglu', 'up', up, gate.shape);
  const [y] = runOperator('lethe.swiglu', { gate, up });
  const backward = ([dy]: (tf.Tensor | undefined)[]): tf.Tensor[] =>
    runOperator('lethe.swiglu_backward', { gate, up, dy });
  canRebuild(y, [gate, up], () => runOperator('lethe.swiglu', { gate, up })[0]);
  record({ inputs: [gate, up], outputs: [y], saved: [gate, up], backward });
  return y;
}
