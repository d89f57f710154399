import * as tf from '@tensorflow/tfjs-core';
import { FORGETTING_METHODS, type ForgettingMethod, type Objective, unlearnLoss } from '@lethe/losses';
import { gradients, installedDevices, useDevice } from '@lethe/tensor';
import { goldenJson, goldenTensors, relativeError } from './golden-files.js';

const { sequence_of: sequenceOf, losses } = goldenJson<{ sequence_of: number[]; losses: Record<string, number> }>(
  'forgetting-beside.json',
);
const tensors = goldenTensors('forgetting-beside.safetensors');
const methods = Object.keys(losses) as ForgettingMethod[];
const WEIGHTS = { forgetting: 1, replay: 0, mitigation: 0 };

it('every method that the fused head has no golden for has one here', () => {
  const beside = Object.entries(FORGETTING_METHODS).flatMap(([name, { kind }]) => (kind === 'logits' ? [name] : []));
  expect(methods.sort()).toEqual([...beside, 'complement-normalized'].sort());
});

describe.each(installedDevices())('forgetting losses beside the head on %s, as PyTorch has them', (device) => {
  beforeAll(() => useDevice(device));

  it.each(methods)('%s: loss and gradients', (method) => {
    const matrix = (name: string): tf.Tensor2D =>
      tf.tensor2d(tensors.readFloat32(name), tensors.tensors.get(name)!.shape as [number, number]);
    const [hidden, weight] = [matrix('hidden'), matrix('weight')];
    const targets = tf.tensor1d(tensors.readInt32('targets'), 'int32');
    const forget = {
      sequenceOf,
      originalHidden: matrix('original_hidden'),
      originalWeight: matrix('original_weight'),
    };
    const objective: Objective = { method, weights: WEIGHTS, reduction: 'sum' };
    const { value, gradients: found } = gradients(
      () =>
        unlearnLoss({ hidden, weight, targets }, sequenceOf.length, objective, { forget: 1, replay: 1 }, forget).loss,
      [hidden, weight],
    );
    const [dhidden, dweight] = found.map((gradient) => gradient!.dataSync());
    expect(relativeError(value.dataSync(), [losses[method]])).toBeLessThan(2e-6);
    expect(relativeError(dhidden, tensors.readFloat32(`${method}/dhidden`))).toBeLessThan(4e-6);
    expect(relativeError(dweight, tensors.readFloat32(`${method}/dweight`))).toBeLessThan(4e-6);
  });
});
