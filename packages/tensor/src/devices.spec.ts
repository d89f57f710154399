import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { deviceMemory, resetPeakMemory, setNumThreads, useDevice } from './devices.js';

it.each([0, -1, 1.5, NaN, 4097])('refuses %d threads', (count) => {
  expect(() => setNumThreads(count)).toThrow(`threads: expected 1 to 4096, received ${count}`);
});

it('tells the memory of a device of its own: what is held, the peak, and from where the peak is measured', async () => {
  await useDevice('lethe-cpu');
  const x = tf.zeros([1 << 18]);
  tf.zeros([1 << 18]).dispose();
  const { live, peak } = deviceMemory();
  expect(peak - live).toBeGreaterThanOrEqual(1 << 20);
  resetPeakMemory();
  expect(deviceMemory().peak).toBe(live);
  x.dispose();
  expect(deviceMemory().live).toBeLessThanOrEqual(live - (1 << 20));
});

it('of tfjs’s own devices it tells the number of tensors only', async () => {
  await useDevice('cpu');
  const x = tf.zeros([3]);
  resetPeakMemory();
  expect(deviceMemory()).toEqual({ live: 0, peak: 0, tensors: tf.memory().numTensors });
  x.dispose();
});

describe('LETHE_TFJS_NODE', () => {
  const [folder, before] = [realpathSync(mkdtempSync(join(tmpdir(), 'lethe-devices-'))), process.cwd()];
  beforeAll(() => process.chdir(folder));
  afterAll(() => {
    process.chdir(before);
    delete process.env.LETHE_TFJS_NODE;
    rmSync(folder, { recursive: true });
  });

  it.each([
    ['./nowhere', () => join(folder, 'nowhere')],
    ['not-a-package', () => 'not-a-package'],
  ])('%s is looked for where it says', async (named, place) => {
    process.env.LETHE_TFJS_NODE = named;
    await expect(useDevice('tensorflow')).rejects.toThrow(`(${place()}: Cannot find module`);
  });
});
