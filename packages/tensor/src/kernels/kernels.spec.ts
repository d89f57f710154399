// Every kernel of tfjs that our devices take over, against tfjs's own CPU: values, shape and number format.
import * as tf from '@tensorflow/tfjs-core';
import { type DeviceName, useDevice } from '../devices.js';
import { broadcastOf } from './broadcast.js';

/** Values between -2 and 2, away from 0, that do not repeat. */
const values = (...shape: number[]): tf.Tensor => {
  const size = tf.util.sizeFromShape(shape);
  return tf.tensor(
    Array.from({ length: size }, (_, i) => (i % 2 === 0 ? 1 : -1) * (0.2 + 1.8 * Math.abs(Math.sin(1 + 1.7 * i)))),
    shape,
  );
};
const positive = (...shape: number[]): tf.Tensor => tf.abs(values(...shape));

const UNARY = {
  neg: tf.neg,
  square: tf.square,
  exp: tf.exp,
  log: tf.log,
  sqrt: tf.sqrt,
  rsqrt: tf.rsqrt,
  reciprocal: tf.reciprocal,
  abs: tf.abs,
  relu: tf.relu,
  sigmoid: tf.sigmoid,
  tanh: tf.tanh,
  step: tf.step,
  softplus: tf.softplus,
};
const BINARY = { add: tf.add, sub: tf.sub, mul: tf.mul, div: tf.div, maximum: tf.maximum, minimum: tf.minimum };

// Scalars, rows, columns, a block in the middle, equal shapes.
const PAIRS: [number[], number[]][] = [
  [[2, 3, 4], []],
  [[], [2, 3]],
  [[2, 3, 4], [4]],
  [
    [2, 3, 4],
    [2, 1, 1],
  ],
  [
    [2, 3, 4],
    [1, 3, 1],
  ],
  [
    [2, 3, 4],
    [3, 4],
  ],
  [
    [2, 3],
    [2, 3],
  ],
];

const CASES: [string, () => tf.Tensor][] = [
  ...Object.entries(UNARY).map(([name, f]): [string, () => tf.Tensor] => [
    name,
    () => f(name === 'log' || name.endsWith('sqrt') ? positive(3, 5) : values(3, 5)),
  ]),
  ...Object.entries(BINARY).flatMap(([name, f]) =>
    PAIRS.map(([a, b]): [string, () => tf.Tensor] => [
      `${name} of [${a}] and [${b}]`,
      () => f(values(...a), tf.add(values(...b), 0.1)),
    ]),
  ),
  ['sum of a scalar', () => tf.sum(tf.scalar(3))],
  ['sum of all', () => tf.sum(values(2, 3, 4))],
  ['sum of the last axis', () => tf.sum(values(2, 3, 4), -1)],
  ['sum of a middle axis, kept', () => tf.sum(values(2, 3, 4), 1, true)],
  ['sum of the first two axes', () => tf.sum(values(2, 3, 4), [0, 1])],
  ['sum of two axes in the other order, kept', () => tf.sum(values(2, 3, 4), [2, 1], true)],
  ['mean of the last axis', () => tf.mean(values(2, 3, 4), 2)],
  ['mean of a middle axis', () => tf.mean(values(2, 3, 4), 1)],
  ['max of the first axis', () => tf.max(values(2, 3, 4), 0)],
  ['max of the last axis, kept', () => tf.max(values(2, 3, 4), -1, true)],
  ['matMul', () => tf.matMul(values(2, 3), values(3, 4))],
  ['matMul, first transposed', () => tf.matMul(values(3, 2), values(3, 4), true, false)],
  ['matMul, second transposed', () => tf.matMul(values(2, 3), values(4, 3), false, true)],
  ['matMul, both transposed', () => tf.matMul(values(3, 2), values(4, 3), true, true)],
  ['matMul of batches', () => tf.matMul(values(5, 2, 3), values(5, 3, 4))],
  ['matMul of a batch and one matrix', () => tf.matMul(values(5, 2, 3), values(1, 3, 4))],
  ['reshape', () => tf.reshape(values(2, 6), [3, -1])],
  ['expandDims at the front', () => tf.expandDims(values(2, 3), 0)],
  ['expandDims in the middle', () => tf.expandDims(values(2, 3), 1)],
  ['expandDims at the end, from behind', () => tf.expandDims(values(2, 3), -1)],
  ['expandDims one before the end, from behind', () => tf.expandDims(values(2, 3), -2)],
  ['cast to int32', () => tf.cast(tf.tensor1d([1.7, -2.2, 3]), 'int32')],
  ['cast to what it is', () => tf.cast(values(3), 'float32')],
  ['cast to float32', () => tf.cast(tf.tensor1d([1, -2, 3], 'int32'), 'float32')],
  ['fill', () => tf.fill([2, 3], 1.5)],
  ['onesLike', () => tf.onesLike(values(2, 3))],
  ['zerosLike', () => tf.zerosLike(values(2, 3))],
  ['slice of the first axis', () => tf.slice(values(4, 3), [1, 0], [2, 3])],
  ['slice of the last axis', () => tf.slice(values(4, 5), [0, 2], [4, 2])],
  ['slice of a middle axis to its end', () => tf.slice(values(2, 5, 3), [0, 2, 0], [2, -1, 3])],
  ['slice of nothing away', () => tf.slice(values(2, 3), [0, 0], [2, 3])],
  ['slice of ids', () => tf.slice(tf.tensor1d([7, 8, 9], 'int32'), [1], [2])],
  ['concat of rows', () => tf.concat([values(2, 3), values(1, 3), values(4, 3)], 0)],
  ['concat of columns', () => tf.concat([values(2, 3), values(2, 1)], 1)],
  ['concat from behind', () => tf.concat([values(2, 2, 3), values(2, 2, 2)], -1)],
  ['concat with an empty part', () => tf.concat([values(0, 3), values(2, 3)], 0)],
  ['concat of ids', () => tf.concat([tf.tensor1d([1, 2], 'int32'), tf.tensor1d([3], 'int32')])],
];

interface Seen {
  shape: number[];
  dtype: string;
  numbers: number[];
}

async function seen(f: () => tf.Tensor, device: DeviceName): Promise<Seen> {
  await useDevice(device);
  const y = f();
  return { shape: y.shape, dtype: y.dtype, numbers: [...y.dataSync()] };
}

describe.each(['lethe-reference', 'lethe-cpu'] as const)('kernels of tfjs on %s', (device) => {
  it.each(CASES)('%s', async (_name, f) => {
    const expected = await seen(f, 'cpu');
    const received = await seen(f, device);
    expect({ ...received, numbers: [] }).toEqual({ ...expected, numbers: [] });
    expect(received.numbers.length).toBe(expected.numbers.length);
    expected.numbers.forEach((x, i) => {
      if (!(Math.abs(received.numbers[i] - x) <= 1e-5 * Math.max(1, Math.abs(x))))
        throw new Error(`index ${i}: expected ${x}, received ${received.numbers[i]}`);
    });
  });

  it('refuses what it cannot do in one pass, by name', async () => {
    await useDevice(device);
    expect(() => tf.sum(values(2, 3, 4), [0, 2])).toThrow('lethe devices reduce adjacent axes, received [0,2]');
    expect(() => tf.slice(values(3, 3), [1, 1], [2, 2])).toThrow('lethe devices slice one axis');
    expect(() => tf.add(values(2, 3, 4), values(2, 1, 4))).toThrow(
      'lethe devices cannot broadcast shape [2,1,4] to [2,3,4]; tile it first',
    );
  });
});

describe('broadcastOf', () => {
  it.each([
    [[], [2, 3], { size: 1, repeat: 1 }],
    [[3], [2, 3], { size: 3, repeat: 1 }],
    [[2, 1], [2, 3], { size: 2, repeat: 3 }],
    [[1, 3, 1], [2, 3, 4], { size: 3, repeat: 4 }],
    [[2, 3], [2, 3], { size: 6, repeat: 1 }],
    [[2, 3, 1], [2, 3, 4], { size: 6, repeat: 4 }],
  ])('%j in %j', (operand, result, expected) => {
    const { size, repeat } = broadcastOf(operand, result);
    // An operand of one element is read the same whatever its repeat.
    expect({ size, repeat: size === 1 ? 1 : repeat }).toEqual(expected);
  });
});
