import * as tf from '@tensorflow/tfjs-core';
import { LetheBackend } from './backend.js';
import { callOperator, converted } from './call.js';
import { useDevice } from './devices.js';
import { linear } from './operators/linear.js';
import { swiglu } from './operators/swiglu.js';

// The reference stores fp32 only.
describe('operands in bf16 and fp32', () => {
  let backend: LetheBackend;
  beforeAll(async () => {
    await useDevice('lethe-cpu');
    backend = tf.engine().backend as LetheBackend;
  });

  // Exact in 8 bits, so that rounding cannot hide a mistaken format.
  const wide = (): tf.Tensor => tf.tensor2d([1, -2, 0.5, 3, -1.5, 4], [2, 3]);
  const narrow = (x = wide()): tf.Tensor =>
    tf.engine().makeTensorFromTensorInfo(converted(backend, x, true)) as unknown as tf.Tensor;
  const numbersOf = (x: tf.Tensor): number[] => [...x.dataSync()];

  it('converts there and back', () => {
    const x = narrow();
    expect([backend.isBf16(wide()), backend.isBf16(x)]).toEqual([false, true]);
    expect(numbersOf(x)).toEqual(numbersOf(wide()));
    const back = tf.engine().makeTensorFromTensorInfo(converted(backend, x, false)) as unknown as tf.Tensor;
    expect([backend.isBf16(back), numbersOf(back)]).toEqual([false, numbersOf(wide())]);
  });

  it('widens what an operator reads in fp32 only', () => {
    expect(numbersOf(tf.square(narrow()))).toEqual(numbersOf(wide()).map((x) => x * x));
    expect(numbersOf(tf.sum(narrow(), 1))).toEqual([-0.5, 5.5]);
    expect(backend.isBf16(tf.square(narrow()))).toBe(false);
  });

  it('reads further activations as it reads the first', () => {
    const expected = numbersOf(swiglu(wide(), wide()));
    const close = (found: tf.Tensor): void =>
      numbersOf(found).forEach((x, i) => expect(Math.abs(x - expected[i])).toBeLessThan(0.01 * Math.abs(expected[i])));
    for (const [gate, up] of [
      [narrow(), wide()],
      [wide(), narrow()],
      [narrow(), narrow()],
    ]) {
      const y = swiglu(gate, up);
      expect(backend.isBf16(y)).toBe(backend.isBf16(gate));
      close(y);
    }
  });

  it('adds in bf16 only where both are', () => {
    const doubled = numbersOf(wide()).map((x) => 2 * x);
    for (const [a, b, isBf16] of [
      [narrow(), narrow(), true],
      [narrow(), wide(), false],
      [wide(), narrow(), false],
    ] as const) {
      const y = tf.add(a, b);
      expect([backend.isBf16(y), numbersOf(y)]).toEqual([isBf16, doubled]);
    }
  });

  it('takes weights as they are stored', () => {
    const x = tf.tensor2d([1, 2, -1], [1, 3]);
    expect(numbersOf(linear(x, narrow()))).toEqual(numbersOf(linear(x, wide())));
  });

  it('keeps no temporary', () => {
    const [a, b] = [narrow(), wide()];
    const before = tf.memory();
    tf.tidy(() => {
      tf.square(a);
      swiglu(a, b);
      tf.add(a, b);
    });
    expect(tf.memory()).toMatchObject({ numTensors: before.numTensors, numDataBuffers: before.numDataBuffers });
  });

  it('gives back the memory of what is disposed, at the last of its names', () => {
    const before = backend.addon.memory(backend.deviceIndex).live;
    const x = tf.square(tf.ones([64, 64]));
    const named = tf.reshape(x, [4096]);
    const held = backend.addon.memory(backend.deviceIndex).live - before;
    expect(held).toBeGreaterThanOrEqual(64 * 64 * 4);
    expect(backend.refCount(x.dataId)).toBe(2);
    x.dispose();
    expect(backend.refCount(named.dataId)).toBe(1);
    expect(named.dataSync().slice(0, 2)).toEqual(Float32Array.of(1, 1));
    named.dispose();
    expect(backend.refCount(named.dataId)).toBe(0);
    expect(backend.disposeData(named.dataId)).toBe(true);
    expect(backend.addon.memory(backend.deviceIndex).live - before).toBeLessThan(held);
  });

  it('names the field that is missing, and runs without optional ones', () => {
    const y = tf.zeros([2]);
    expect(() => callOperator(backend, 'fill', { y, value: 1 })).toThrow('fill: expected a value for N');
    expect(() => callOperator(backend, 'fill', { N: 2, value: 1 })).toThrow('fill: expected a value for y');
    callOperator(backend, 'fill', { N: 2, y });
    expect(numbersOf(y)).toEqual([0, 0]);
  });
});
