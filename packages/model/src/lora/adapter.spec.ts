import { gradients, Parameter, useDevice } from '@lethe/tensor';
import * as tf from '@tensorflow/tfjs-core';
import { baselm } from '../config.js';
import { Adapter, initializeAdapter } from './adapter.js';
import { adaptedLayers, adapterSizes, adapterSpecs } from './lora-settings.js';

const [N, I, O, R] = [5, 4, 6, 2];
const FACTOR = 1.5;
const LAYER = 'model.layers.0.mlp.up_proj';
const values = (shape: number[], seed: number): tf.Tensor =>
  tf.tensor(
    Float32Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * seed)),
    shape,
  );

const adapterOf = (a: tf.Tensor, b: tf.Tensor): Adapter =>
  new Adapter(FACTOR, [new Parameter(`${LAYER}.lora_A.weight`, a), new Parameter(`${LAYER}.lora_B.weight`, b)]);

describe('the change of a layer', () => {
  beforeAll(() => useDevice('lethe-reference'));

  /** sum(change * fixed weights), and its gradients by x, y, A and B. */
  function lossOf(inputs: tf.Tensor[]): { loss: number; gradients: Float32Array[] } {
    const [x, y, a, b] = inputs.map((one) => tf.clone(one));
    const adapter = adapterOf(tf.clone(a), tf.clone(b));
    const seed = values([N, O], 9);
    const xs = [x, y, ...adapter.parameters.map(({ value }) => value)];
    const result = gradients(() => adapter.change(LAYER, x, y), xs, seed);
    const weights = seed.dataSync();
    const loss = (result.value.dataSync() as Float32Array).reduce((sum, value, i) => sum + value * weights[i], 0);
    return { loss, gradients: result.gradients.map((gradient) => gradient!.dataSync() as Float32Array) };
  }

  it('has the gradients that finite differences give, by x, y and both matrices', () => {
    const inputs = [values([N, I], 1), values([N, O], 2), values([R, I], 3), values([O, R], 4)];
    const analytic = lossOf(inputs).gradients;
    const step = 1e-2; // the loss is a polynomial of degree one in each value: central differences are exact but for rounding
    for (const [k, input] of inputs.entries())
      for (let i = 0; i < input.size; i++) {
        const at = (sign: number): number => {
          const changed = Float32Array.from(input.dataSync());
          changed[i] += sign * step;
          return lossOf(inputs.map((one, j) => (j === k ? tf.tensor(changed, one.shape) : one))).loss;
        };
        const numeric = (at(1) - at(-1)) / (2 * step);
        if (!(Math.abs(numeric - analytic[k][i]) <= 2e-4 * Math.max(1, Math.abs(numeric))))
          throw new Error(`input ${k}, value ${i}: expected ${numeric}, received ${analytic[k][i]}`);
      }
  });

  it('is the product of its delta, and nothing for a layer that has none', () => {
    const [x, y] = [values([N, I], 1), values([N, O], 2)];
    const adapter = adapterOf(values([R, I], 3), values([O, R], 4));
    const delta = adapter.delta(LAYER)!;
    const expected = tf.add(y, tf.matMul(x as tf.Tensor2D, delta as tf.Tensor2D, false, true)).dataSync();
    adapter
      .change(LAYER, x, y)
      .dataSync()
      .forEach((value, i) => expect(value).toBeCloseTo(expected[i], 5));
    expect(adapter.change('model.layers.1.mlp.up_proj', x, y)).toBe(y);
    expect(adapter.delta('model.layers.1.mlp.up_proj')).toBeUndefined();
  });
});

describe('an adapter', () => {
  const sizes = { hiddenSize: 8, intermediateSize: 12, numLayers: 2, numHeads: 2, numKeyValueHeads: 1, headDim: 4 };
  const config = baselm({ ...sizes, vocabSize: 20 });
  const settings = { rank: 3, alpha: 6, targets: ['k_proj', 'down_proj'] as const };

  it('has two matrices per target and layer, of the shapes of its weights', () => {
    expect(adaptedLayers(config)).toHaveLength(14);
    expect(adapterSpecs(config, settings).slice(0, 4)).toEqual([
      { name: 'model.layers.0.self_attn.k_proj.lora_A.weight', shape: [3, 8] },
      { name: 'model.layers.0.self_attn.k_proj.lora_B.weight', shape: [4, 3] },
      { name: 'model.layers.0.mlp.down_proj.lora_A.weight', shape: [3, 12] },
      { name: 'model.layers.0.mlp.down_proj.lora_B.weight', shape: [8, 3] },
    ]);
    expect(adapterSizes(config, settings)).toHaveLength(8);
  });

  it('begins as no change: A within 1/sqrt(inputs), by its seed and name alone, B 0', async () => {
    await useDevice('lethe-cpu');
    const made = [1, 1, 2].map((seed) => initializeAdapter(config, settings, seed));
    const of = (adapter: Adapter, i: number): Float32Array => adapter.parameters[i].value.dataSync() as Float32Array;
    expect(of(made[0], 0)).toEqual(of(made[1], 0));
    expect(of(made[0], 0)).not.toEqual(of(made[2], 0));
    expect(of(made[0], 2).subarray(0, 8)).not.toEqual(of(made[0], 0).subarray(0, 8));
    expect(of(made[0], 1).every((value) => value === 0)).toBe(true);
    const most = Math.max(...of(made[0], 0).map(Math.abs));
    expect(most).toBeLessThanOrEqual(1 / Math.sqrt(8));
    expect(most).toBeGreaterThan(0.8 / Math.sqrt(8));
    expect(made[0].factor).toBe(2);
  });

  it('lacks no matrix of a layer', () => {
    expect(() => new Adapter(1, [new Parameter(`${LAYER}.lora_A.weight`, tf.zeros([2, 4]))])).toThrow(
      `adapter: expected both matrices of ${LAYER}, received ${LAYER}.lora_A.weight alone`,
    );
  });
});
