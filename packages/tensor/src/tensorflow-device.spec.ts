import { createRequire } from 'node:module';
import * as tf from '@tensorflow/tfjs-core';
import { useDevice } from './devices.js';
import { linear } from './operators/linear.js';
import { rmsNorm } from './operators/rms-norm.js';
import { gradients } from './tape.js';

const require = createRequire(__filename);

/** tfjs-node is an optional peer: LETHE_TFJS_NODE names its folder. Without it these tests are skipped, and counted. */
function isInstalled(): boolean {
  return [process.env.LETHE_TFJS_NODE, '@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'].some((name) => {
    if (!name) return false;
    try {
      require.resolve(name);
      return true;
    } catch {
      return false; // Not installed: the question this function answers.
    }
  });
}

const onTensorflow = isInstalled() ? describe : describe.skip;

async function normThenLinear(device: 'tensorflow' | 'lethe-reference'): Promise<Float32Array[]> {
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

onTensorflow('the tensorflow device (tfjs-node)', () => {
  it('agrees with the reference', async () => {
    const truth = await normThenLinear('lethe-reference');
    const received = await normThenLinear('tensorflow');
    received.forEach((values, i) => values.forEach((value, j) => expect(value).toBeCloseTo(truth[i][j], 4)));
  });
});

describe('a device that is not there', () => {
  it('says how to get it, and leaves the current device alone', async () => {
    await useDevice('lethe-cpu');
    await expect(useDevice('lethe-cuda')).rejects.toThrow(/cuda/i);
    if (!isInstalled()) await expect(useDevice('tensorflow')).rejects.toThrow(/install @tensorflow\/tfjs-node-gpu/);
    expect(tf.getBackend()).toBe('lethe-cpu');
  });

  it('refuses bf16 where it is not to be had, and unknown names', async () => {
    await expect(useDevice('cpu', 'bf16')).rejects.toThrow(/bf16 needs a lethe-\* device/);
    await expect(useDevice('gpu' as never)).rejects.toThrow(/unknown device gpu; expected one of lethe-cpu/);
  });
});
