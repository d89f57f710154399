import { loadAddon } from '@lethe/native';
import * as tf from '@tensorflow/tfjs-core';
import { applyDeviceSettings } from './device-settings.js';
import { precision } from './precision.js';

it('sets device, precision and threads, and says nothing where the device was named', async () => {
  const setNumThreads = jest.spyOn(loadAddon(), 'setNumThreads');
  expect(await applyDeviceSettings({ device: 'lethe-cpu', precision: 'bf16', threads: 1 })).toBeUndefined();
  expect(setNumThreads.mock.calls).toEqual([[1]]);
  expect([tf.getBackend(), precision()]).toEqual(['lethe-cpu', 'bf16']);
  expect(await applyDeviceSettings({ device: 'lethe-reference', precision: 'fp32' })).toBeUndefined();
  expect(setNumThreads).toHaveBeenCalledTimes(1);
  expect([tf.getBackend(), precision()]).toEqual(['lethe-reference', 'fp32']);
  setNumThreads.mockRestore();
});

it('tells why auto took the CPU', async () => {
  const told = await applyDeviceSettings({ device: 'auto', precision: 'fp32' });
  if (tf.getBackend() === 'lethe-cpu') expect(told).toMatch(/^auto takes lethe-cpu: ./);
  else expect(told).toBeUndefined();
});
