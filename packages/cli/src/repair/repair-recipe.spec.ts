import { hasRoomForOriginal } from './original-cache.js';
import { planRepair } from './plan.js';
import { candidateNamed, candidatesOf, moreCandidatesOf, repairRecipe, type RepairSetup } from './repair-recipe.js';

const parts = (name: string) => ({ train: `${name}/train`, select: `${name}/select` });
const config = {
  hiddenSize: 128,
  numHeads: 2,
  numKeyValueHeads: 2,
  headDim: 64,
  tieEmbeddings: true,
  intermediateSize: 256,
  numLayers: 2,
  vocabSize: 512,
  maxPositions: 128,
} as Parameters<typeof planRepair>[0];
const setupOf = (more: { base?: string; content?: boolean } = {}): RepairSetup => ({
  runs: 'runs',
  model: 'models/synth',
  base: more.base,
  shards: {
    natural: parts('natural'),
    synthetic: parts('synthetic'),
    pattern: parts('pattern'),
    ...(more.content && { content: parts('content') }),
  },
  plan: planRepair(config, { memory: 2 ** 34, budget: {}, secondsPerToken: 1e-4 }),
  device: 'lethe-cpu',
  precision: 'fp32',
});
const named = (setup: RepairSetup) => candidatesOf(setup).map(({ name }) => name);
const recipeOf = (setup: RepairSetup, name: string, more: object = {}) => {
  const candidate = candidatesOf(setup).find((one) => one.name === name)!;
  return repairRecipe(setup, { name, candidate, steps: 40, ...more });
};

describe('the settings that are tried', () => {
  it('hold natural text to the model itself where no base is known', () => {
    const setup = setupOf();
    const lrs = ['0.0008', '0.0002', '0.0001'];
    expect(named(setup)).toEqual([
      ...lrs.map((lr) => `template-0.1-${lr}`),
      'template-0.3-0.0001',
      'all-0.1-0.0002',
      'paper',
    ]);
    for (const { name, weights } of candidatesOf(setup)) expect(weights.mitigation).toBe(name === 'paper' ? 1 : 0.1);
    expect(recipeOf(setup, 'all-0.1-0.0002').model.reference).toBeUndefined();
  });

  it('replay what the text says at a higher weight where it says something and nothing does enough', () => {
    expect(moreCandidatesOf(setupOf())).toEqual([]);
    const setup = setupOf({ content: true });
    const [more] = moreCandidatesOf(setup);
    expect(more).toMatchObject({ name: 'template-0.1-0.0008-content', content: true, lr: 8e-4 });
    expect(candidateNamed(setup, more.name)).toEqual(more);
    expect(candidateNamed(setup, 'template-0.03-0.0008-content').weights.forgetting).toBe(0.03);
  });

  it('hold natural text to a base', () => {
    const setup = setupOf({ base: 'models/base' });
    expect(named(setup).every((name) => name === 'paper' || name.endsWith('-base'))).toBe(true);
    const { model, objective } = recipeOf(setup, 'template-0.1-0.0008-base');
    expect(model).toMatchObject({ init: 'models/synth', reference: 'models/base' });
    expect(objective.weights.mitigation).toBe(1);
  });

  it('read what they are held to once for all probes, where that is kept, and run it beside a longer run', () => {
    const based = { ...setupOf({ base: 'models/base', content: true }), isOriginalCached: true };
    const alone = { ...setupOf({ content: true }), isOriginalCached: true };
    const setup = based;
    const { probeSteps } = setup.plan;
    const originalOf = (name: string, steps = probeSteps, of = setup): unknown =>
      recipeOf(of, name, { steps }).model.original;
    expect(originalOf('template-0.1-0.0008-base')).toBe('cached');
    expect(originalOf('template-0.1-0.0008', probeSteps, alone)).toBe('cached');
    expect(originalOf('template-0.1-0.0008-base', probeSteps + 4)).toBeUndefined();
    expect(originalOf('paper')).toBeUndefined();
    expect(originalOf('paper', probeSteps, alone)).toBe('cached');
    for (const one of [based, alone])
      expect(originalOf('template-0.03-0.0008-content', probeSteps, one)).toBeUndefined();
    expect(originalOf('template-0.1-0.0008-base', probeSteps, { ...setup, isOriginalCached: false })).toBeUndefined();
    // 40 steps of 8 natural rows, 128 rows of validation; 128 tokens of 128 numbers of 4 bytes.
    const { replayRows, accumulate, validationRows } = setup.plan;
    expect([probeSteps, replayRows, accumulate, validationRows.natural]).toEqual([40, 8, 1, 128]);
    const bytes = (40 * 8 + 128) * 128 * 128 * 4;
    const isCached = (free: number): boolean =>
      hasRoomForOriginal(config, setup.plan, { out: 'out', free: () => free });
    expect([isCached(2 * bytes), isCached(2 * bytes + 1)]).toEqual([false, true]);
  });

  it('replay what the text says in two of them and hold it to the model, beside as much natural text as the others have', () => {
    for (const base of [undefined, 'models/base']) {
      const setup = setupOf({ base, content: true });
      const { replayRows } = setup.plan;
      const { data, batch, model, objective } = recipeOf(setup, 'template-0.03-0.0008-content');
      expect(data.replay).toEqual([
        { shards: 'natural/train', proportion: replayRows },
        { shards: 'content/train', proportion: replayRows },
      ]);
      expect(batch.replayRows).toBe(2 * replayRows);
      expect([model.reference, objective.weights.mitigation]).toEqual([undefined, 0.1]);
      expect(named(setup).filter((name) => name.includes('content'))).toEqual(['template-0.03-0.0008-content']);
    }
  });
});

it('a run mixes synthetic text in as it is told', () => {
  const { data, batch } = recipeOf(setupOf(), 'paper', { mixedIn: 0.02 });
  const total = data.replay.reduce((sum, { proportion }) => sum + proportion, 0);
  expect(data.replay.map(({ shards, proportion }) => [shards, proportion / total])).toEqual([
    ['natural/train', 0.98],
    ['synthetic/train', 0.02],
  ]);
  expect(batch.replayRows).toBe(setupOf().plan.replayRows);
});
