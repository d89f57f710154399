import * as tf from '@tensorflow/tfjs-core';
import { type DeviceName, installedDevices, useDevice } from '../devices.js';
import { gradients } from '../tape.js';
import { attention } from './attention.js';
import { embedding } from './embedding.js';
import { linear } from './linear.js';
import { type LogitLoss, logitLoss } from './logit-loss.js';
import { rmsNorm } from './rms-norm.js';
import { rope } from './rope.js';
import { scale } from './scale.js';
import { swiglu } from './swiglu.js';
import { type ForgettingForm, type HeadOptions, unlearnHead } from './unlearn-head.js';

const DEVICES = installedDevices();

/** Deterministic values in (-scale, scale). */
function values(size: number, seed: number, scale = 1): Float32Array {
  return Float32Array.from(
    { length: size },
    (_, i) => scale * Math.sin(12.9898 * (i + 1) + 78.233 * seed) * Math.cos(0.37 * i),
  );
}

const float = (shape: number[], seed: number, scale = 1): tf.Tensor =>
  tf.tensor(values(tf.util.sizeFromShape(shape), seed, scale), shape);
const int = (list: number[]): tf.Tensor => tf.tensor1d(list, 'int32');

/** A case: makes its inputs on the current device and computes an output from them. */
interface Case {
  name: string;
  inputs: () => tf.Tensor[];
  f: (inputs: tf.Tensor[]) => tf.Tensor;
  /** The gradient holds a factor of the output fixed, so it is not the output's derivative. */
  isDetached?: boolean;
}

const causal = (rows: number, T: number): { first: number[]; last: number[] } => ({
  first: Array.from({ length: rows * T }, (_, i) => (i % T >= 4 ? 4 : 0)),
  last: Array.from({ length: rows * T }, (_, i) => i % T),
});

function headCase(name: string, options: Omit<HeadOptions, 'rows'>): Case {
  return {
    name,
    // Without exponents the ascent's factor is 1, and nothing is held fixed.
    isDetached: options.forgetting !== undefined && options.forgetting.beta1 + options.forgetting.beta2 > 0,
    inputs: () => [float([7, 6], 1, 3), float([11, 6], 2)],
    f: ([hidden, weight]) => {
      const targets = int([3, 0, -1, 10, 5, -1, 7]);
      const original = { originalHidden: float([4, 6], 5, 3), originalWeight: float([11, 6], 6) };
      return unlearnHead({ hidden, weight, targets, ...original }, options).loss;
    },
  };
}

// Every form, and the ascent with none, one and both of its exponents.
const FORMS: ForgettingForm[] = [
  { kind: 'ascent', beta1: 0, beta2: 0 },
  { kind: 'ascent', beta1: 1, beta2: 0 },
  { kind: 'ascent', beta1: 5, beta2: 1 },
  { kind: 'ascent', beta1: 0.5, beta2: 3 },
  { kind: 'probability', beta1: 0, beta2: 0 },
  { kind: 'clamped', beta1: 0, beta2: 0 },
];

const SCALES = { forgetting: 0.5, replay: 0.3, mitigation: 0.2 };

const CASES: Case[] = [
  { name: 'embedding', inputs: () => [float([5, 3], 1)], f: ([weight]) => embedding(int([4, 0, 4, 2]), weight) },
  {
    name: 'rmsNorm',
    inputs: () => [float([4, 6], 1), float([6], 2)],
    f: ([x, weight]) => rmsNorm(x, weight, { epsilon: 1e-5 }).y,
  },
  {
    name: 'rmsNorm with residual',
    inputs: () => [float([4, 6], 1), float([6], 2), float([4, 6], 3)],
    f: ([x, weight, residual]) => {
      const { y, sum } = rmsNorm(x, weight, { epsilon: 1e-5, residual });
      return swiglu(y, sum);
    },
  },
  {
    name: 'linear with bias',
    inputs: () => [float([5, 4], 1), float([3, 4], 2), float([3], 3)],
    f: ([x, weight, bias]) => linear(x, weight, bias),
  },
  {
    name: 'rope',
    inputs: () => [float([4, 12], 1)],
    f: ([x]) => rope(x, int([0, 1, 2, 5]), { cos: float([6, 3], 2), sin: float([6, 3], 3) }),
  },
  {
    name: 'attention',
    inputs: () => [float([14, 8], 1), float([14, 4], 2), float([14, 4], 3)],
    f: ([q, k, v]) => {
      const { first, last } = causal(2, 7);
      return attention({ q, k, v, first: int(first), last: int(last) }, { B: 2, T: 7, S: 7, H: 4, K: 2, D: 2 });
    },
  },
  { name: 'scale', inputs: () => [float([3, 5], 1)], f: ([x]) => scale(x, -1.7) },
  { name: 'swiglu', inputs: () => [float([3, 5], 1, 4), float([3, 5], 2)], f: ([gate, up]) => swiglu(gate, up) },
  headCase('unlearnHead complement', { numForget: 3, scales: SCALES }),
  ...FORMS.map((forgetting) =>
    headCase(`unlearnHead ${Object.values(forgetting).join(' ')}`, { numForget: 3, forgetting, scales: SCALES }),
  ),
  headCase('unlearnHead replay only', { numForget: 0, scales: { forgetting: 0, replay: 1, mitigation: 0.7 } }),
];

/** Output and gradients of sum(output * fixed weights) on a device. */
async function evaluate({ inputs, f }: Case, device: DeviceName): Promise<Float32Array[]> {
  await useDevice(device);
  const xs = inputs();
  const shape = f(xs).shape;
  const { value, gradients: found } = gradients(() => f(xs), xs, shape.length === 0 ? undefined : float(shape, 9));
  return [value, ...found.map((gradient) => gradient!)].map((tensor) => tensor.dataSync() as Float32Array);
}

function expectClose(received: Float32Array, expected: Float32Array, tolerance: number): void {
  expect(received.length).toBe(expected.length);
  const scale = expected.reduce((top, x) => Math.max(top, Math.abs(x)), 1e-6);
  expected.forEach((x, i) => {
    if (!(Math.abs(received[i] - x) <= tolerance * scale))
      throw new Error(`index ${i}: expected ${x}, received ${received[i]}`);
  });
}

describe('operators on every device', () => {
  for (const test of CASES) {
    it(`${test.name}: output and gradients agree with the fp64 reference`, async () => {
      const truth = await evaluate(test, 'lethe-reference');
      for (const device of DEVICES.slice(1)) {
        const received = await evaluate(test, device);
        received.forEach((values, i) => expectClose(values, truth[i], 2e-6));
      }
    });

    if (test.isDetached) continue;
    it(`${test.name}: gradients agree with central differences`, async () => {
      await useDevice('lethe-reference');
      const xs = test.inputs();
      const seed = test.f(xs).shape.length === 0 ? undefined : float(test.f(xs).shape, 9);
      const objective = (at: tf.Tensor[]): number => {
        const y = test.f(at).dataSync() as Float32Array;
        const weights = seed?.dataSync() ?? [1];
        return y.reduce((sum, value, i) => sum + value * weights[i], 0);
      };
      const { gradients: found } = gradients(() => test.f(xs), xs, seed && tf.clone(seed));
      const step = 4e-3;
      xs.forEach((x, k) => {
        const base = x.dataSync();
        const analytic = found[k]!.dataSync();
        for (let i = 0; i < Math.min(base.length, 12); i++) {
          const moved = (by: number): number => {
            const shifted = Float32Array.from(base);
            shifted[i] += by;
            return objective(xs.map((other, j) => (j === k ? tf.tensor(shifted, x.shape) : other)));
          };
          const numeric = (moved(step) - moved(-step)) / (2 * step);
          expect(Math.abs(numeric - analytic[i])).toBeLessThan(2e-3 * Math.max(1, Math.abs(numeric)));
        }
      });
    });
  }

  it.each([-1, 8])('the head refuses %d forget rows of 7', async (numForget) => {
    await useDevice('lethe-cpu');
    const inputs = { hidden: float([7, 6], 1), weight: float([11, 6], 2), targets: int([3, 0, -1, 10, 5, -1, 7]) };
    expect(() => unlearnHead(inputs, { numForget, scales: SCALES })).toThrow(
      `unlearnHead: expected numForget in [0, 7], received ${numForget}`,
    );
  });

  it('the head refuses exponents and an original that do not fit', async () => {
    await useDevice('lethe-cpu');
    const inputs = { hidden: float([2, 6], 1), weight: float([11, 6], 2), targets: int([3, 0]) };
    const options = { numForget: 1, scales: SCALES };
    for (const beta1 of [-1, NaN, Infinity]) {
      const forgetting = { kind: 'ascent', beta1, beta2: 0 } as const;
      expect(() => unlearnHead(inputs, { ...options, forgetting })).toThrow(
        `unlearnHead: beta1: expected a finite exponent of 0 or more, received ${beta1}`,
      );
    }
    const [originalHidden, originalWeight] = [float([3, 6], 5), float([11, 6], 6)];
    for (const one of [{ originalHidden }, { originalWeight }])
      expect(() => unlearnHead({ ...inputs, ...one }, options)).toThrow(/together, received one of them/);
    expect(() => unlearnHead({ ...inputs, originalHidden, originalWeight }, options)).toThrow(
      'expected at most 2 rows of originalHidden, received 3',
    );
    const narrow = float([3, 5], 5);
    expect(() => unlearnHead({ ...inputs, originalHidden: narrow, originalWeight }, options)).toThrow(
      'unlearnHead: expected originalHidden of shape [3,6], received [3,5]',
    );
  });

  it.each(DEVICES)('the head takes an original of every row, on %s', async (device) => {
    await useDevice(device);
    const inputs = { hidden: float([2, 6], 1, 3), weight: float([11, 6], 2), targets: int([3, 0]) };
    const original = { originalHidden: float([2, 6], 5, 3), originalWeight: float([11, 6], 6) };
    const options: HeadOptions = { numForget: 0, scales: SCALES, rows: ['kl'] };
    const all = unlearnHead({ ...inputs, ...original }, options).kl!.dataSync();
    const one = unlearnHead(
      { ...inputs, ...original, originalHidden: tf.slice(float([2, 6], 5, 3), [1, 0], [1, 6]) },
      options,
    );
    expect(all[0]).toBeGreaterThan(0);
    expect(all[1]).toBeCloseTo(one.kl!.dataSync()[1], 5);
    expect(one.kl!.dataSync()[0]).toBe(0);
  });

  it('only the loss of the head has a gradient', async () => {
    await useDevice('lethe-cpu');
    const inputs = { hidden: float([2, 6], 1), weight: float([11, 6], 2), targets: int([3, 0]) };
    const sums = (): tf.Tensor => unlearnHead(inputs, { numForget: 1, scales: SCALES }).sums;
    expect(() => gradients(sums, [inputs.hidden])).toThrow('only its loss has a gradient');
  });

  it.each(DEVICES)('a norm gives its sum’s gradient alone, and none to a frozen weight, on %s', async (device) => {
    await useDevice(device);
    const [x, residual, weight] = [float([3, 6], 1), float([3, 6], 2), float([6], 3)];
    const norm = (): ReturnType<typeof rmsNorm> => rmsNorm(x, weight, { epsilon: 1e-5, residual });
    const { gradients: ofSum } = gradients(() => norm().sum, [x, residual]);
    for (const gradient of ofSum) expect([...gradient!.dataSync()]).toEqual(Array.from({ length: 18 }, () => 1));
    const { gradients: all } = gradients(() => norm().y, [x, weight]);
    const { gradients: frozen } = gradients(() => norm().y, [x]);
    expectClose(frozen[0]!.dataSync() as Float32Array, all[0]!.dataSync() as Float32Array, 1e-6);
  });

  it.each(DEVICES)(
    'a loss of logits adds up over chunks, and asks no gradient of what is frozen, on %s',
    async (device) => {
      await useDevice(device);
      const V = device === 'lethe-cpu' ? 1 << 20 : 11; // a chunk holds 16 rows of a million logits
      const rows = Array.from({ length: 20 }, (_, n) => n);
      const [hidden, weight] = [float([20, 1], 1), float([V, 1], 2)];
      const first: LogitLoss = ({ z }, dz) => ((dz[0] = 1), z[0]);
      const loss = (): tf.Tensor => logitLoss({ hidden, weight, rows }, 2, first);
      const { value, gradients: found } = gradients(loss, [hidden, weight]);
      const [w, x] = [weight.dataSync()[0], hidden.dataSync() as Float32Array];
      const sum = x.reduce((total, one) => total + one, 0);
      expect(value.dataSync()[0]).toBeCloseTo(2 * w * sum, 5);
      for (const part of found[0]!.dataSync()) expect(part).toBeCloseTo(2 * w, 5);
      expect(found[1]!.dataSync()[0]).toBeCloseTo(2 * sum, 5);
      const { gradients: frozen } = gradients(loss, [weight]);
      expect(frozen[0]!.dataSync()).toEqual(found[1]!.dataSync());
    },
  );

  it('registers gradients with tfjs as well, but where it has what it is made of', async () => {
    await useDevice('lethe-cpu');
    for (const test of CASES.filter(({ name }) => !name.includes('residual') && name !== 'scale')) {
      const xs = test.inputs();
      const { gradients: ours } = gradients(() => test.f(xs), xs);
      const theirs = tf.grads((...at: tf.Tensor[]) => test.f(at))(xs);
      ours.forEach((gradient, i) =>
        expectClose(theirs[i].dataSync() as Float32Array, gradient!.dataSync() as Float32Array, 1e-6),
      );
    }
  });
});
