import { ForgettingShare } from './forgetting-share.js';
import type { TrainRecipe } from './recipe.js';

const recipe = {
  stage: 'unlearn',
  objective: { weights: { forgetting: 0.01, replay: 1, mitigation: 1 } },
} as TrainRecipe;
const at = (step: number, forgetting: number) => ({
  step,
  termGradientNorms: { forgetting, replay: 1 - forgetting, mitigation: 0 },
});

describe('the share of forgetting in the gradient', () => {
  it('is told once where it is too small, and again at the end', () => {
    const share = new ForgettingShare(recipe, false);
    expect(share.see({ step: 1 })).toBeUndefined();
    expect(share.see(at(1, 0.02))).toMatch(/^the forgetting term has 2.0% of the gradient at step 1: .*raise/);
    expect(share.end()).toMatch(/had 2.0% of the gradient at step 1: hold the result against/);
    expect(share.see(at(100, 0.01))).toBeUndefined();
    expect(share.end()).toMatch(/had 2.0% of the gradient at step 1 and 1.0% at step 100: hold the result against/);
  });

  it('is no matter where it was large, though it falls as the pattern goes', () => {
    const share = new ForgettingShare(recipe, false);
    expect(share.see(at(1, 0.3))).toBeUndefined();
    expect(share.see(at(100, 0.001))).toBeUndefined();
    expect(share.end()).toBeUndefined();
  });

  it('is no matter of a control, of a weight of 0, of another stage, or where nothing was measured', () => {
    const none = { ...recipe, objective: { weights: { ...recipe.objective.weights, forgetting: 0 } } } as TrainRecipe;
    const watched = [
      new ForgettingShare(recipe, true),
      new ForgettingShare(none, false),
      new ForgettingShare({ ...recipe, stage: 'refine' }, false),
    ];
    for (const share of watched) expect([share.see(at(1, 0.02)), share.end()]).toEqual([undefined, undefined]);
    expect(new ForgettingShare(recipe, false).end()).toBeUndefined();
    const still = { step: 1, termGradientNorms: { forgetting: 0, replay: 0, mitigation: 0 } };
    expect(new ForgettingShare(recipe, false).see(still)).toMatch(/has 0.0% of the gradient/);
  });
});
