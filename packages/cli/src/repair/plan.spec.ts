import { baselm, type LlamaConfig } from '@lethe/model';
import { learningRates, planRepair } from './plan.js';

const small = baselm({
  vocabSize: 1024,
  hiddenSize: 128,
  intermediateSize: 352,
  numLayers: 3,
  numHeads: 4,
  numKeyValueHeads: 2,
  headDim: 32,
  maxPositions: 256,
});
const GIB = 2 ** 30;
const planOf = (config: LlamaConfig, budget = {}, memory = 64 * GIB) =>
  planRepair(config, { memory, budget, secondsPerToken: 1e-4 });

/** Tokens of everything that a plan trains, at most. */
const tokensOf = (plan: ReturnType<typeof planRepair>): number =>
  (plan.replayRows + plan.forgetRows) * plan.accumulate * plan.rowLength * (10 * plan.probeSteps + 2 * plan.steps);

describe('planRepair', () => {
  it('fits rows to the context, and needs no budget', () => {
    expect(planOf(small)).toMatchObject({
      rowLength: 256,
      replayRows: 4,
      forgetRows: 4,
      accumulate: 1,
      recompute: false,
      probeSteps: 40,
      validateEvery: 4,
    });
  });

  it.each([[{ tokens: 2_000_000 }], [{ tokens: 600_000 }], [{ seconds: 600 }], [{ seconds: 240 }]])(
    'stays within %j',
    (budget: { tokens?: number; seconds?: number }) => {
      const allowed = budget.tokens ?? budget.seconds! / 4e-4;
      const plan = planOf(small, budget);
      expect(tokensOf(plan)).toBeLessThan(1.15 * allowed);
      expect(tokensOf(plan)).toBeGreaterThan(0.5 * allowed);
      expect(plan.probeSteps % plan.validateEvery).toBe(0);
    },
  );

  it('leaves room in a budget for the settings that are asked', () => {
    const budget = { tokens: 2_000_000 };
    const asked = planRepair(small, { memory: 64 * GIB, budget, secondsPerToken: 1e-4, isAsked: true });
    expect(tokensOf(asked) + 2048 * 5 * asked.probeSteps).toBeLessThan(1.15 * budget.tokens);
    expect(asked.steps).toBeLessThan(planOf(small, budget).steps);
  });

  it('recomputes, then takes smaller micro-batches of the same step, where memory is short', () => {
    const large = baselm({});
    const roomy = planOf(large, {}, 512 * GIB);
    const tight = planOf(large, {}, 44 * GIB);
    const rows = ({ replayRows, forgetRows, accumulate }: typeof roomy): number =>
      (replayRows + forgetRows) * accumulate;
    expect([roomy.recompute, tight.recompute]).toEqual([false, true]);
    expect(rows(tight)).toBeGreaterThanOrEqual(rows(roomy));
  });
});

it('learning rates are the paper’s at its width, and no larger than a thousandth', () => {
  expect(learningRates({ ...small, hiddenSize: 2048 })).toEqual([5e-5, 1.3e-5, 6.3e-6]);
  expect(learningRates({ ...small, hiddenSize: 128 })).toEqual([8e-4, 2e-4, 1e-4]);
  expect(learningRates({ ...small, hiddenSize: 32 })).toEqual([1e-3, 2.5e-4, 1.3e-4]);
});
