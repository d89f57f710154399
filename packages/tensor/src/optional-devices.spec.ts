import * as tf from '@tensorflow/tfjs-core';
import { type DeviceName, installedDevices, useDevice } from './devices.js';
import { isInstalled } from './optional-devices.js';
import { linear } from './operators/linear.js';
import { rmsNorm } from './operators/rms-norm.js';
import { gradients } from './tape.js';

async function normThenLinear(device: DeviceName): Promise<Float32Array[]> {
  await useDevice(device);
  const values = (size: number, seed: number): Float32Array =>
    Float32Array.from({ length: size }, (_, i) => Math.sin(i + seed));
  const [x, weight, out] = [
    tf.tensor2d(values(24, 1), [4, 6]),
    tf.tensor1d(values(6, 2)),
    tf.tensor2d(values(18, 3), [3, 6]),
  ];
  const f = (): tf.Tensor => linear(rmsNorm(x, weight, { epsilon: 1e-5 }).y, out);
  const { value, gradients: found } = gradients(f, [x, weight, out]);
  return [value, ...found.map((gradient) => gradient!)].map((tensor) => tensor.dataSync() as Float32Array);
}

// tfjs-node is an optional peer, whose installer downloads a binary; LETHE_TFJS_NODE names its folder.
const onTensorflow = isInstalled('tensorflow') ? describe : describe.skip;

describe.each([
  ['wasm', describe],
  ['tensorflow', onTensorflow],
] as const)('tfjs’s device %s', (device, describe) => {
  describe('as an optional peer', () => {
    it('is among the devices that specs run on', () => expect(installedDevices()).toContain(device));

    it('agrees with the reference', async () => {
      const truth = await normThenLinear('lethe-reference');
      const received = await normThenLinear(device);
      received.forEach((values, i) => values.forEach((value, j) => expect(value).toBeCloseTo(truth[i][j], 4)));
    });
  });
});

describe('the device wasm', () => {
  it('leaves errors to Node: its loader’s handlers are gone', async () => {
    await useDevice('wasm');
    const handlers = ['uncaughtException', 'unhandledRejection'].flatMap((name) => process.rawListeners(name));
    expect(handlers.map(String).filter((text) => /ExitStatus|throw/.test(text))).toEqual([]);
  });

  it('sums segments as tfjs’s cpu does: repeated, absent and foreign ids, rows of several axes', async () => {
    const sums = async (device: DeviceName): Promise<number[][]> => {
      await useDevice(device);
      const x = tf.tensor3d(
        Float32Array.from({ length: 20 }, (_, i) => i + 0.5),
        [5, 2, 2],
      );
      const y = tf.unsortedSegmentSum(x, tf.tensor1d([3, 0, 3, -1, 4], 'int32'), 4);
      return [y.shape, [...(y.dataSync() as Float32Array)]];
    };
    const truth = await sums('cpu');
    expect(await sums('wasm')).toEqual(truth);
    expect(truth[0]).toEqual([4, 2, 2]);
  });
});

describe('a device that is not there', () => {
  it('says how to get it, and leaves the current device alone', async () => {
    await useDevice('lethe-cpu');
    await expect(useDevice('lethe-cuda')).rejects.toThrow(/cuda/i);
    if (!isInstalled('tensorflow'))
      await expect(useDevice('tensorflow')).rejects.toThrow(/install @tensorflow\/tfjs-node-gpu/);
    expect(tf.getBackend()).toBe('lethe-cpu');
  });

  it('says so where a backend cannot be made', async () => {
    const make = tf.findBackendFactory('cpu');
    tf.removeBackend('cpu');
    tf.registerBackend('cpu', () => {
      throw new Error('no room');
    });
    await expect(useDevice('cpu')).rejects.toThrow('device cpu could not be initialised');
    tf.removeBackend('cpu');
    tf.registerBackend('cpu', make);
    await useDevice('cpu');
  });

  it('refuses bf16 where it is not to be had, and unknown names', async () => {
    await expect(useDevice('cpu', 'bf16')).rejects.toThrow(/bf16 needs a lethe-\* device/);
    await expect(useDevice('gpu' as never)).rejects.toThrow(/unknown device gpu; expected one of lethe-cpu/);
    await expect(useDevice('lethe-cpu', 'fp16' as never)).rejects.toThrow(
      'unknown precision fp16; expected one of fp32, bf16',
    );
  });
});
