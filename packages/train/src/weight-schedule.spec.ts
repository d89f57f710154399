import { join } from 'node:path';
import { type TrainRecipe, trainRecipeSchema } from './recipe.js';
import { isEverPositive, weightAt, weightsOf, type WeightSchedule } from './weight-schedule.js';

const fading: WeightSchedule = { from: 1, to: 0, steps: 4, kind: 'linear' };
const folder = 'none';

function recipeOf(name: string, rest: Record<string, unknown>): TrainRecipe {
  return trainRecipeSchema.parse({
    name,
    runs: join(folder, 'runs'),
    stage: 'pretrain',
    model: {
      config: { vocabSize: 50, hiddenSize: 8, intermediateSize: 16, numLayers: 1, numHeads: 2, maxPositions: 32 },
    },
    data: { rowLength: 16, replay: [{ shards: join(folder, 'natural') }] },
    batch: { replayRows: 2 },
    optimizer: { lr: 0.01 },
    steps: 3,
    ...rest,
  });
}

const unlearning = (name: string, weights: object, model: object = {}): TrainRecipe => {
  const [replay, forget] = ['natural', 'synthetic'].map((of) => [{ shards: join(folder, of) }]);
  return recipeOf(name, {
    stage: 'unlearn',
    model: { init: join(folder, 'runs', 'start', 'model'), ...model },
    data: { rowLength: 16, replay, forget },
    batch: { replayRows: 2, forgetRows: 2 },
    objective: { weights },
    steps: 6,
  });
};
describe('a weight', () => {
  it('goes from one value to another over its steps, and stays there', () => {
    expect([1, 2, 3, 4, 5, 9].map((step) => weightAt(fading, step))).toEqual([1, 0.75, 0.5, 0.25, 0, 0]);
    const cosine = [1, 2, 3, 5].map((step) => weightAt({ ...fading, kind: 'cosine' }, step));
    expect(cosine[1]).toBeCloseTo(0.5 + Math.SQRT1_2 / 2, 12);
    expect([cosine[0], cosine[2], cosine[3]].map((x) => Math.round(1e9 * x) / 1e9)).toEqual([1, 0.5, 0]);
    expect(weightAt(0.3, 7)).toBe(0.3);
    expect([0, 0.1, fading, { ...fading, from: 0 }].map(isEverPositive)).toEqual([false, true, true, false]);
  });

  it('is that of replay alone where nothing is unlearnt', () => {
    expect(weightsOf(recipeOf('x', {}), 3)).toEqual({ forgetting: 0, replay: 1, mitigation: 0 });
  });

  it.each([
    { from: 1, to: 0 },
    { from: 1, to: -1, steps: 2 },
    { from: 1, to: 0, steps: 2, kind: 'sine' },
  ])('is refused as %j', (mitigation) => {
    expect(() => unlearning('x', { mitigation })).toThrow();
  });
});

it('a reference is refused where there is no mitigation term', () => {
  expect(() => unlearning('x', { mitigation: 0 }, { reference: 'base' })).toThrow('a reference where unlearning has');
  expect(unlearning('x', {}, { reference: 'base' }).model.reference).toBe('base');
});
