import * as tf from '@tensorflow/tfjs-core';
import type { LetheBackend } from './backend.js';
import { useDevice } from './devices.js';
import { asActivation } from './storage.js';

describe.each(['lethe-cpu', 'lethe-reference'] as const)('storage on %s', (device) => {
  beforeEach(() => useDevice(device));

  it('keeps numbers that come as plain arrays', () => {
    const backend = tf.engine().backend as LetheBackend;
    const read = (values: number[], dtype: tf.DataType): unknown[] => {
      const dataId = backend.write(values as unknown as tf.BackendValues, [values.length], dtype);
      const found = [...(backend.readSync(dataId) as Float32Array)];
      backend.disposeData(dataId);
      return found;
    };
    expect(read([1.5, -2], 'float32')).toEqual([1.5, -2]);
    expect(read([7, -8], 'int32')).toEqual([7, -8]);
  });

  it('reads truth values as bytes, and casts them', () => {
    const x = tf.tensor1d([true, false, true]);
    expect(x.dataSync()).toEqual(Uint8Array.from([1, 0, 1]));
    expect(tf.cast(x, 'int32').dataSync()).toEqual(Int32Array.from([1, 0, 1]));
    expect(tf.cast(x, 'float32').dataSync()).toEqual(Float32Array.from([1, 0, 1]));
  });

  it('refuses what it cannot store, by name', () => {
    expect(() => tf.tensor1d(['a'])).toThrow(
      /lethe devices store float32, int32 and bool tensors, received dtype string/,
    );
  });

  it('has tensors of no elements', () => {
    expect(tf.zeros([0, 4]).dataSync()).toEqual(new Float32Array(0));
    expect(tf.tensor2d([], [0, 2], 'int32').dataSync()).toEqual(new Int32Array(0));
  });
});

describe('activations held in bf16', () => {
  beforeEach(() => useDevice('lethe-cpu', 'bf16'));

  it('of no elements are read as such', () => {
    const backend = tf.engine().backend as LetheBackend;
    const { dataId } = backend.activation([0, 4], true);
    expect(backend.readSync(dataId)).toEqual(new Float32Array(0));
    backend.disposeData(dataId);
  });

  it('give others that are', () => {
    const backend = tf.engine().backend as LetheBackend;
    const x = asActivation(tf.tensor2d([1, 2, 3, 1 + 2 ** -9], [2, 2]));
    for (const [y, expected] of [
      [tf.onesLike(x), [1, 1, 1, 1]],
      [tf.zerosLike(x), [0, 0, 0, 0]],
      [tf.slice(x, [1, 0], [1, 2]), [3, 1]], // rounded
    ] as const) {
      expect(backend.isBf16(y)).toBe(true);
      expect([...y.dataSync()]).toEqual(expected);
    }
  });
});
