import * as tf from '@tensorflow/tfjs-core';
import { callOperator } from '../call.js';
import { rebuildOf } from '../rebuild.js';
import { accumulator, isLive, record } from '../tape.js';
import { expectShape, registerOperator, runOperator } from './register.js';

registerOperator(
  'lethe.linear',
  ({ x, weight, bias }, { fp32 }, backend) => {
    const [N, [O, I]] = [x.shape[0], weight.shape];
    const y = backend.activation([N, O], backend.isBf16(x) && !fp32);
    callOperator(backend, 'linear', { N, I, O, x, weight, bias, y });
    return y;
  },
  ({ x, weight, bias }) => {
    const y = tf.matMul(x, weight, false, true);
    return bias ? tf.add(y, bias) : y;
  },
);

// Accumulators dx, dweight, dbias are added to and not returned; the wanted others are returned in that order.
registerOperator(
  'lethe.linear_backward',
  (inputs, { wants }, backend) => {
    const { x, weight, dy } = inputs;
    const [N, [O, I]] = [x.shape[0], weight.shape];
    const shapes: Record<string, number[]> = { dx: [N, I], dweight: [O, I], dbias: [O] };
    const made: Record<string, tf.TensorInfo> = {};
    for (const want of wants as string[]) {
      if (inputs[want]) continue;
      made[want] = backend.activation(shapes[want], want === 'dx' && backend.isBf16(x));
      if (want !== 'dx')
        callOperator(backend, 'fill', { N: tf.util.sizeFromShape(shapes[want]), y: made[want], value: 0 });
    }
    const target = (want: string): tf.TensorInfo | undefined =>
      (wants as string[]).includes(want) ? (inputs[want] ?? made[want]) : undefined;
    const outputs = { dx: target('dx'), dweight: target('dweight'), dbias: target('dbias') };
    callOperator(backend, 'linear_backward', {
      N,
      I,
      O,
      x,
      weight,
      dy,
      ...outputs,
      accumulate_dx: Boolean(inputs.dx),
    });
    return Object.values(made);
  },
  ({ x, weight, dy }, { wants }) =>
    (wants as string[]).map((want) => {
      if (want === 'dx') return tf.matMul(dy, weight);
      return want === 'dweight' ? tf.matMul(dy, x, true, false) : tf.sum(dy, 0);
    }),
);

tf.registerGradient({
  kernelName: 'lethe.linear',
  inputsToSave: ['x', 'weight'],
  gradFunc: (dy, [x, weight]) => {
    const want = (name: string) => () =>
      runOperator('lethe.linear_backward', { x, weight, dy: dy as tf.Tensor }, { wants: [name] })[0];
    return { x: want('dx'), weight: want('dweight'), bias: want('dbias') };
  },
});

/**
 * y = x weight^T + bias.
 * @param x [N, I]; @param weight [O, I], Hugging Face's layout; @param bias [O].
 * @param options `fp32`: y is held in fp32 whatever the precision, as logits should be.
 * @returns [N, O].
 */
export function linear(x: tf.Tensor, weight: tf.Tensor, bias?: tf.Tensor, options: { fp32?: boolean } = {}): tf.Tensor {
  expectShape('linear', 'x', x, [x.shape[0], (weight.shape as number[])[1]]);
  const [y] = runOperator('lethe.linear', { x, weight, bias }, options);
  const rebuild = [x, weight, bias].some(isLive) ? rebuildOf(x) : undefined;
  rebuild?.addReader();
  const backward = ([dy]: (tf.Tensor | undefined)[]): (tf.Tensor | undefined)[] => {
    const operands: [string, tf.Tensor | undefined][] = [
      ['dx', x],
      ['dweight', weight],
      ['dbias', bias],
    ];
    const wanted = operands.filter(([, operand]) => isLive(operand)) as [string, tf.Tensor][];
    const accumulators = Object.fromEntries(wanted.map(([name, operand]) => [name, accumulator(operand)]));
    const wants = wanted.map(([name]) => name);
    const run = (input: tf.Tensor): tf.Tensor[] =>
      runOperator('lethe.linear_backward', { x: input, weight, dy, ...accumulators }, { wants });
    const made = rebuild ? rebuild.read(run) : run(x);
    let next = 0;
    return operands.map(([name]) => (wants.includes(name) && !accumulators[name] ? made[next++] : undefined));
  };
  const saved = rebuild ? [...rebuild.sources, weight] : [x, weight];
  record({ inputs: [x, weight, bias], outputs: [y], saved, backward });
  return y;
}
