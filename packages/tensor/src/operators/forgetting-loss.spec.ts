import * as tf from '@tensorflow/tfjs-core';
import { useDevice } from '../devices.js';
import { gradients } from '../tape.js';
import { exponentProblem, FORGETTING_METHODS, type ForgettingLoss } from './forgetting-loss.js';
import { unlearnHead } from './unlearn-head.js';

/** One forget row whose target leads the four other words by m: p = sigmoid(m - log 4). */
function row(m: number, loss: ForgettingLoss): { value: number; weight: number; p: number; dtarget: number } {
  const hidden = tf.tensor2d([[m, 1]]);
  const weight = tf.tensor2d([
    [1, 0],
    [0, 0],
    [0, 0],
    [0, 0],
    [0, 0],
  ]);
  const targets = tf.tensor1d([0], 'int32');
  let sums: number[] = [];
  const { gradients: found } = gradients(() => {
    const scales = { forgetting: 1, replay: 0, mitigation: 0 };
    const result = unlearnHead({ hidden, weight, targets }, { numForget: 1, scales, ...loss });
    sums = [...result.sums.dataSync()];
    return result.loss;
  }, [hidden]);
  return { value: sums[0], weight: sums[6], p: sums[5], dtarget: found[0]!.dataSync()[0] };
}

describe('forgetting losses', () => {
  beforeAll(() => useDevice('lethe-cpu'));

  // What docs/math.md, section 3 says of each, at p from 1.5e-4 to 0.9999.
  const expected: Record<string, (p: number) => { value: number; weight: number }> = {
    complement: (p) => ({ value: -Math.log(1 - p), weight: p }),
    ga: (p) => ({ value: Math.log(p), weight: 1 - p }),
    wga: (p) => ({ value: p * Math.log(p), weight: p * (1 - p) }),
    satimp: (p) => ({ value: p ** 5 * (1 - p) * Math.log(p), weight: p ** 5 * (1 - p) ** 2 }),
    'min-prob': (p) => ({ value: p, weight: p * (1 - p) }),
    'unlikelihood-clamped': (p) => ({ value: -Math.log(1 - p), weight: p }),
  };

  it.each(FORGETTING_METHODS)('%s has its loss and its weight at every p', (method) => {
    for (const m of [-8, -2, 0, 1.5, 4, 10]) {
      const { value, weight, p, dtarget } = row(m, { method });
      const truth = expected[method](1 / (1 + 4 * Math.exp(-m)));
      expect(p).toBeCloseTo(1 / (1 + 4 * Math.exp(-m)), 6);
      expect(Math.abs(value - truth.value)).toBeLessThan(2e-6 * Math.max(1, Math.abs(truth.value)));
      expect(Math.abs(weight - truth.weight)).toBeLessThan(2e-6);
      expect(Math.abs(dtarget - truth.weight)).toBeLessThan(2e-6);
    }
  });

  it('clamped unlikelihood gives the most over-fitted tokens no signal; the complement does', () => {
    const clamped = row(20, { method: 'unlikelihood-clamped' });
    expect(clamped.value).toBeCloseTo(-Math.log(1e-5), 4);
    expect([clamped.weight, clamped.dtarget]).toEqual([0, 0]);
    expect(row(20, { method: 'complement' }).weight).toBeCloseTo(1, 6);
  });

  it('takes exponents for the methods that have them', () => {
    const p = 1 / (1 + 4 * Math.exp(-1));
    expect(row(1, { method: 'wga', beta1: 3 }).weight).toBeCloseTo(p ** 3 * (1 - p), 6);
    expect(row(1, { method: 'satimp', beta1: 2, beta2: 0.5 }).weight).toBeCloseTo(p ** 2 * (1 - p) ** 1.5, 6);
  });

  it.each([
    [{ method: 'ga', beta1: 1 }, 'beta1 is an exponent of wga and satimp, not of ga'],
    [{ method: 'wga', beta2: 1 }, 'beta2 is an exponent of satimp, not of wga'],
    [{ method: 'satimp', beta1: -1 }, 'beta1: expected a finite exponent of 0 or more, received -1'],
  ] as [ForgettingLoss, string][])('refuses %j', (loss, message) => {
    expect(exponentProblem(loss)?.message).toBe(message);
    expect(() => row(1, loss)).toThrow(`unlearnHead: ${message}`);
  });
});
