import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadRecipe } from '@lethe/run';
import { dataHash, recipeHash } from './recipe-hash.js';
import { type TrainRecipe, trainRecipeSchema } from './recipe.js';
import { openStreams } from './streams.js';

const folder = mkdtempSync(join(tmpdir(), 'lethe-recipe-'));
afterAll(() => rmSync(folder, { recursive: true }));

const MINIMAL = {
  name: 'run',
  stage: 'unlearn',
  model: { init: 'models/synth' },
  data: { rowLength: 64, replay: [{ shards: 'a' }], forget: [{ shards: 'b' }] },
  batch: { replayRows: 2, forgetRows: 2 },
  steps: 10,
};

/** Replay sources named by letters, held or not. */
const holding = (held: boolean[], shards = 'a'): object => ({
  data: { ...MINIMAL.data, replay: held.map((one, i) => ({ shards: shards[i], held: one })) },
});

const parse = (changes: object = {}): TrainRecipe => trainRecipeSchema.parse({ ...MINIMAL, ...changes });

describe('a recipe', () => {
  it('has the paper’s values where nothing is said', () => {
    const recipe = parse();
    expect(recipe.objective).toEqual({
      method: 'complement',
      weights: { forgetting: 0.01, replay: 1, mitigation: 1 },
      reduction: 'mean',
      forgetSpan: 'all',
      template: { minDocuments: 20, minShare: 0.005, enoughShare: 0.05, minLogOdds: 2 },
    });
    expect(recipe.optimizer).toMatchObject({ lr: 5e-5, beta1: 0.9, beta2: 0.95, clipNorm: 1 });
    expect(recipe.schedule).toEqual({ kind: 'constant', warmupSteps: 0, finalLr: 0 });
    expect(recipe).toMatchObject({ device: 'lethe-cpu', precision: 'fp32', seed: 1, runs: 'runs' });
    expect(recipe.optimizer).toMatchObject({ epsilon: 1e-8, weightDecay: 0.1 });
    expect(recipe.checkpoint).toEqual({ every: 200, keep: 2 });
    expect(recipe.metrics).toEqual({ every: 1, termGradientsEvery: 100 });
    expect(recipe.batch.accumulate).toBe(1);
    expect(recipe.data).toMatchObject({ packing: 'best-fit', replay: [{ shards: 'a', proportion: 1 }] });
  });

  it.each([
    ['an unknown key', { optimiser: {} }, /optimiser/],
    ['a name that is a path', { name: '../run' }, /letters, digits/],
    ['a name that is the folder above', { name: '..' }, /not dots alone/],
    ['neither init nor config', { model: {} }, /exactly one of init .* and config/],
    ['both init and config', { model: { init: 'x', config: sizes() } }, /exactly one of init .* and config/],
    ['rows of one token', { data: { ...MINIMAL.data, rowLength: 1 } }, /rowLength/],
    ['no steps', { steps: 0 }, /steps/],
    ['half a step', { steps: 1.5 }, /steps/],
    ['a negative weight', { objective: { weights: { forgetting: -1 } } }, /forgetting/],
    ['an exponent of another method', { objective: { beta1: 1 } }, /beta1 is an exponent of wga, satimp, tnpo/],
    ['a learning rate of 0', { optimizer: { lr: 0 } }, /lr/],
    ['a beta of 1', { optimizer: { beta2: 1 } }, /beta2/],
    ['a stream of no weight', { data: { ...MINIMAL.data, replay: [{ shards: 'a', proportion: 0 }] } }, /proportion/],
    ['a keep of 0', { checkpoint: { keep: 0 } }, /keep/],
    ['rows that are held where nothing is', { stage: 'pretrain', ...holding([true]) }, /held where unlearning has/],
    ['nothing that is held', holding([false, false], 'ab'), /it would hold nothing/],
    ['the same rows held and not', holding([false, true], 'aa'), /held or not, and here/],
    [
      'held rows without a mitigation term',
      { objective: { weights: { mitigation: 0 } }, ...holding([true, false], 'ab') },
      /held where unlearning has a mitigation term/,
    ],
  ])('is refused with %s', (_case, changes, message) => {
    expect(() => parse(changes)).toThrow(message);
  });

  it('names file and line', () => {
    const file = join(folder, 'recipe.yaml');
    const lines = [
      'name: a',
      'stage: refine',
      'model: { init: x }',
      'data:',
      '  rowLength: 8',
      'batch: { replayRows: 1 }',
    ];
    writeFileSync(file, [...lines, 'optimizer:', '  lr: quick', 'steps: 1', ''].join('\n'));
    expect(() => loadRecipe(file, trainRecipeSchema)).toThrow(
      `${file}:8: optimizer.lr: expected number, received string "quick"`,
    );
  });
});

function sizes(): object {
  return { hiddenSize: 8, intermediateSize: 8, numLayers: 1, numHeads: 1, maxPositions: 8 };
}

describe('recipeHash', () => {
  it.each([
    ['its name', { name: 'other' }],
    ['its folder', { runs: 'elsewhere' }],
    ['how often it saves', { checkpoint: { every: 7, keep: 5 } }],
    ['how often it measures', { metrics: { every: 3 } }],
  ])('stays for %s', (_what, changes) => {
    expect(recipeHash(parse(changes))).toBe(recipeHash(parse()));
  });

  it.each([
    ['the seed', { seed: 2 }],
    ['the learning rate', { optimizer: { lr: 1e-4 } }],
    ['the method', { objective: { method: 'ga' } }],
    ['an exponent', { objective: { method: 'wga', beta1: 2 } }],
    ['a weight', { objective: { weights: { forgetting: 0.02 } } }],
    ['the rows', { batch: { replayRows: 2, forgetRows: 3 } }],
    ['the data', { data: { ...MINIMAL.data, forget: [{ shards: 'c' }] } }],
    ['the device', { device: 'lethe-reference' }],
    ['the model', { model: { init: 'models/other' } }],
  ])('changes with %s', (_what, changes) => {
    expect(recipeHash(parse(changes))).not.toBe(recipeHash(parse()));
  });

  it('changes with the steps where learning rates depend on them', () => {
    const of = (kind: string, steps: number): string => recipeHash(parse({ steps, schedule: { kind } }));
    expect(of('cosine', 11)).not.toBe(of('cosine', 10));
    expect(of('constant', 11)).toBe(of('constant', 10));
  });
});

describe('openStreams', () => {
  const { replay, forget } = MINIMAL.data;

  it.each([
    ['unlearn without replay', { data: { rowLength: 64, forget } }, /without replay data destroys the model/],
    ['unlearn with no replay rows', { batch: { replayRows: 0, forgetRows: 2 } }, /without replay data/],
    ['unlearn without synthetic data', { data: { rowLength: 64, replay } }, /needs synthetic data/],
    ['unlearn with no forget rows', { batch: { replayRows: 2 } }, /needs synthetic data/],
    ['refine with synthetic data', { stage: 'refine' }, /stage refine forgets nothing/],
    [
      'pretrain without data',
      { stage: 'pretrain', data: { rowLength: 8 }, batch: { replayRows: 1 } },
      /needs data\.replay/,
    ],
  ])('refuses %s', async (_case, changes, message) => {
    await expect(openStreams(parse(changes))).rejects.toThrow(message);
  });
});

describe('dataHash', () => {
  it('changes with the index of any stream, and tells a missing one from an empty one', () => {
    const folder = mkdtempSync(join(tmpdir(), 'lethe-data-hash-'));
    const recipe = {
      data: { rowLength: 8, packing: 'concat' as const, forget: [], replay: [{ shards: folder, proportion: 1 }] },
    };
    const missing = dataHash(recipe);
    writeFileSync(join(folder, 'index.json'), '{"a":1}');
    const first = dataHash(recipe);
    expect(dataHash(recipe)).toBe(first);
    writeFileSync(join(folder, 'index.json'), '{"a":2}');
    expect(new Set([missing, first, dataHash(recipe)]).size).toBe(3);
    rmSync(folder, { recursive: true });
  });
});
