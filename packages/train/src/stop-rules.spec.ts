import { decide, finalValidation, heldStep, type StopRules, type ValidationPoint } from './stop-rules.js';

/** Validations of steps 0, 10, 20, ... with these replay losses. */
const losses = (...values: number[]): ValidationPoint[] => values.map((replay, i) => ({ step: 10 * i, replay }));
const probabilities = (...values: number[]): ValidationPoint[] =>
  values.map((forgetP, i) => ({ step: 10 * i, forgetP, forgetNll: -Math.log(forgetP) }));
/** The loss at which the perplexity is this multiple of exp(2). */
const times = (factor: number): number => 2 + Math.log(factor);

describe('maxPerplexityRise', () => {
  const rules: StopRules = { maxPerplexityRise: 0.05 };

  it('ends a run at the first validation past the limit, and holds the last one within it', () => {
    const history = losses(2, times(1.01), times(1.049), times(1.083), times(1.2));
    const { text, ...decision } = decide(history, rules)!;
    expect(decision).toEqual({ rule: 'maxPerplexityRise', step: 30, isLimit: true, held: 20 });
    expect(text).toBe(
      'held-out perplexity 8.002 is 8.3% above the 7.389 of step 0, and stop.maxPerplexityRise allows 5%',
    );
    expect(heldStep(history.slice(0, 2), rules)).toBe(10);
  });

  it('lets a run go on at the limit, below the start, and where a rise has gone again', () => {
    expect(decide(losses(2, times(1.0499), 1, times(1.04)), rules)).toBeUndefined();
    expect(decide(losses(2, 2), { maxPerplexityRise: 0 })).toBeUndefined();
    expect(decide(losses(2, 2.000001), { maxPerplexityRise: 0 })?.step).toBe(10);
  });

  it('holds the start where nothing else is within the limit', () => {
    expect(decide(losses(2, 3), rules)).toMatchObject({ step: 10, held: 0 });
  });

  it('counts a loss that is not a number as past the limit', () => {
    expect(decide(losses(2, NaN), rules)).toMatchObject({ isLimit: true, held: 0 });
  });
});

it('maxKeptFall is a limit on the probability of what is to be kept, looked at after natural text', () => {
  const history = [0.8, 0.73, 0.6].map((keptP, i) => ({ step: 10 * i, replay: 2 + i, keptP }));
  const { text, ...decision } = decide(history, { maxKeptFall: 0.1 })!;
  expect(decision).toEqual({ rule: 'maxKeptFall', step: 20, isLimit: true, held: 10 });
  expect(text).toBe(
    'the mean probability 0.6000 of what is to be kept is 25% below the 0.8000 of step 0, and stop.maxKeptFall allows 10%',
  );
  expect(decide(history, { maxKeptFall: 0.26 })).toBeUndefined();
  expect(decide(history, { maxKeptFall: 0.1, maxPerplexityRise: 0.05 })).toMatchObject({ step: 10, held: 0 });
  expect(decide([history[0]!, { step: 10, keptP: NaN }], { maxKeptFall: 0.1 })?.step).toBe(10);
});

describe('forgetP', () => {
  it('ends a run where the probability is reached, at step 0 too', () => {
    const history = probabilities(0.5, 0.2, 0.1, 0.05);
    const { text, ...decision } = decide(history, { forgetP: 0.1 })!;
    expect(decision).toEqual({ rule: 'forgetP', step: 20, isLimit: false, held: undefined });
    expect(text).toBe('the mean probability of synthetic targets is 0.100, and stop.forgetP is 0.1');
    expect(decide(history, { forgetP: 0.5 })?.step).toBe(0);
    expect(decide(history, { forgetP: 0.01 })).toBeUndefined();
    expect(heldStep(history, { forgetP: 0.1 })).toBeUndefined();
  });

  it('is no goal once the limit is passed', () => {
    const both = [
      { step: 0, replay: 2, forgetP: 0.5 },
      { step: 10, replay: 3, forgetP: 0.01 },
    ];
    expect(decide(both, { forgetP: 0.1, maxPerplexityRise: 0.05 })).toMatchObject({ rule: 'maxPerplexityRise' });
  });
});

describe('patience', () => {
  it('ends a run after so many validations without a lower loss, and holds the first best one', () => {
    const history = losses(5, 3, 3, 2.5, 2.5, 2.6);
    expect(decide(history.slice(0, 5), { patience: 2 })).toBeUndefined();
    const { text, ...decision } = decide(history, { patience: 2 })!;
    expect(decision).toEqual({ rule: 'patience', step: 50, isLimit: false, held: 30 });
    expect(text).toBe('the held-out loss 2.5000 of step 30 is the lowest for 2 validations, as many as stop.patience');
    expect(decide(history, { patience: 1 })).toMatchObject({ step: 20, held: 10 });
    expect(decide(history, { patience: 3 })).toBeUndefined();
    expect(decide(losses(5, 6), { patience: 1 })).toMatchObject({ step: 10, held: 0 });
  });

  it('makes the best validation that of the model that a run ends with; without it that is the last', () => {
    const history = losses(5, 2, 3);
    expect(finalValidation(history, { patience: 1 })?.step).toBe(10);
    expect(finalValidation(history, { maxPerplexityRise: 1 })?.step).toBe(20);
    expect(finalValidation(history)?.step).toBe(20);
    expect(finalValidation([], { patience: 1 })).toBeUndefined();
  });
});

it('no validation and no rule decide nothing', () => {
  expect(decide([], { patience: 1, maxPerplexityRise: 0, forgetP: 0.9 })).toBeUndefined();
  expect(heldStep([], { patience: 1 })).toBeUndefined();
  expect(decide(losses(1, 99))).toBeUndefined();
  expect(heldStep(losses(1, 99))).toBeUndefined();
});
