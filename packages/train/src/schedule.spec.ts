import { learningRate } from './schedule.js';

const recipe = (kind: 'constant' | 'cosine', warmupSteps: number, finalLr = 0): Parameters<typeof learningRate>[1] => ({
  optimizer: { lr: 1, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0, clipNorm: 1 },
  schedule: { kind, warmupSteps, finalLr },
  steps: 110,
});

describe('learningRate', () => {
  it('is the paper’s constant without warm-up', () => {
    for (const step of [1, 50, 110]) expect(learningRate(step, recipe('constant', 0))).toBe(1);
  });

  it.each(['constant', 'cosine'] as const)('warms up linearly to its peak (%s)', (kind) => {
    const rates = [1, 5, 10].map((step) => learningRate(step, recipe(kind, 10)));
    expect(rates).toEqual([0.1, 0.5, 1]);
  });

  it('falls by a half cosine from the rate of the recipe towards finalLr, without reaching it', () => {
    const at = (step: number): number => learningRate(step, recipe('cosine', 10, 0.2));
    expect(at(11)).toBe(1);
    expect(at(36)).toBeCloseTo(0.2 + 0.4 * (1 + Math.SQRT1_2), 12);
    expect(at(61)).toBeCloseTo(0.6, 12);
    expect(at(111)).toBeCloseTo(0.2, 12);
    const rates = Array.from({ length: 100 }, (_, i) => at(11 + i));
    expect(rates.every((rate, i) => i === 0 || rate < rates[i - 1])).toBe(true);
    expect(learningRate(1, recipe('cosine', 0))).toBe(1);
    expect(learningRate(110, recipe('cosine', 0))).toBeGreaterThan(0);
  });

  it('is finite where the whole run is warm-up', () => {
    const short = { ...recipe('cosine', 200), steps: 100 };
    for (const step of [1, 100]) expect(learningRate(step, short)).toBeCloseTo(step / 200, 12);
    expect(learningRate(100, { ...recipe('cosine', 100), steps: 100 })).toBe(1);
  });
});
