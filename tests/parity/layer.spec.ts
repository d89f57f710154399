import * as tf from '@tensorflow/tfjs-core';
import { loadLlama, rowsOfSequences, toTokenBatch } from '@lethe/model';
import { gradients, installedDevices, useDevice } from '@lethe/tensor';
import { goldenPath, goldenTensors, relativeError } from './golden-files.js';

const PREFIX = 'model.layers.0.';

describe.each(installedDevices())('one layer against PyTorch on %s', (device) => {
  it('output, gradient of the input and of every weight within 1e-5', async () => {
    await useDevice(device);
    const tensors = goldenTensors('layer.safetensors');
    const { model } = loadLlama(goldenPath('models/llama'));
    const [B, T, D] = tensors.tensors.get('in/x')!.shape;
    const read = (name: string): tf.Tensor => tf.tensor(tensors.readFloat32(name), [B * T, D]);
    const batch = toTokenBatch(rowsOfSequences(Array.from({ length: B }, () => new Int32Array(T))));
    const x = read('in/x');
    const weights = model.parameters.filter(({ name }) => name.startsWith(PREFIX));
    const inputs = [x, ...weights.map(({ value }) => value)];
    const { value, gradients: found } = gradients(() => model['layer'](x, { index: 0, batch }), inputs, read('in/dy'));
    const errors = [relativeError(value.dataSync() as Float32Array, tensors.readFloat32('out/y'))];
    ['out/dx', ...weights.map(({ name }) => `grad/${name.slice(PREFIX.length)}`)].forEach((name, i) => {
      errors.push(relativeError(found[i]!.dataSync() as Float32Array, tensors.readFloat32(name)));
    });
    expect(errors).toHaveLength(11);
    expect(Math.max(...errors)).toBeLessThanOrEqual(1e-5);
    tensors.close();
  });
});
