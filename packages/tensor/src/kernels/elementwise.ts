import * as tf from '@tensorflow/tfjs-core';
import { callOperator, toFp32 } from '../call.js';
import { broadcastOf } from './broadcast.js';
import type { RegisterKernel } from './register.js';

const BINARY = [tf.Add, tf.Sub, tf.Multiply, tf.RealDiv, tf.Maximum, tf.Minimum];
const UNARY = [
  tf.Neg,
  tf.Square,
  tf.Exp,
  tf.Log,
  tf.Sqrt,
  tf.Rsqrt,
  tf.Reciprocal,
  tf.Abs,
  tf.Relu,
  tf.Sigmoid,
  tf.Tanh,
];

/** tfjs's elementwise kernels over the native `binary` and `unary` operators. */
export function registerElementwise(register: RegisterKernel): void {
  BINARY.forEach((name, kind) => {
    register(name, ({ a, b }, _attrs, backend) => {
      const shape = tf.broadcast_util.assertAndGetBroadcastShape(a.shape, b.shape);
      const [left, right] = [broadcastOf(a.shape, shape), broadcastOf(b.shape, shape)];
      const bf16 = backend.isBf16(a) && backend.isBf16(b);
      const y = backend.activation(shape, bf16);
      const sizes = { N: tf.util.sizeFromShape(shape), A: left.size, B: right.size };
      const operands = [a, b].map((x) => (!bf16 && backend.isBf16(x) ? toFp32(backend, x) : x));
      const repeats = { a_repeat: left.repeat, b_repeat: right.repeat };
      callOperator(backend, 'binary', { ...sizes, a: operands[0], b: operands[1], y, ...repeats, kind });
      for (const [i, x] of [a, b].entries()) if (operands[i] !== x) backend.disposeData(operands[i].dataId);
      return y;
    });
  });
  const unary = (name: string, kind: number): void =>
    register(name, ({ x }, _attrs, backend) => {
      const y = backend.output(x.shape);
      callOperator(backend, 'unary', { N: tf.util.sizeFromShape(x.shape), x, y, kind });
      return y;
    });
  UNARY.forEach(unary);
  unary(tf.Step, UNARY.length);
  unary(tf.Softplus, UNARY.length + 1);
}
