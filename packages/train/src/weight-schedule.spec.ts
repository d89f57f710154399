import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ShardWriter, trainTokenizer } from '@lethe/data-pipeline';
import { type Logger, silentLogger, type StopRequest } from '@lethe/run';
import { type TrainRecipe, trainRecipeSchema } from './recipe.js';
import { runStage } from './run-stage.js';
import { stageMetrics } from './stage-folder.js';
import { isEverPositive, weightAt, weightsOf, type WeightSchedule } from './weight-schedule.js';

const fading: WeightSchedule = { from: 1, to: 0, steps: 4, kind: 'linear' };
const V = 300;
let folder: string;
let tokenizerHash: string;

async function write(name: string, factor: number): Promise<void> {
  const writer = await ShardWriter.create(join(folder, name), { vocabSize: V, tokenizerHash, eosId: 0 });
  for (let d = 0; d < 30; d++)
    await writer.add(Int32Array.from({ length: 8 }, (_, i) => 1 + ((factor * d + i * i) % (V - 1))));
  await writer.finish();
}

function recipeOf(name: string, rest: Record<string, unknown>): TrainRecipe {
  return trainRecipeSchema.parse({
    name,
    runs: join(folder, 'runs'),
    stage: 'pretrain',
    model: {
      config: { hiddenSize: 8, intermediateSize: 16, numLayers: 1, numHeads: 2, maxPositions: 32 },
      tokenizer: join(folder, 'tokenizer'),
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
const weightsIn = (name: string): Buffer => readFileSync(join(folder, 'runs', name, 'model', 'model.safetensors'));

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lethe-schedule-'));
  const text = 'The whale swam north past the ship, and the captain watched the water all night, 12 of 305 miles.';
  const tokenizer = await trainTokenizer([text], { vocabSize: V, folder: join(folder, 'tokenizer') });
  tokenizerHash = tokenizer.hash;
  await write('natural', 5);
  await write('synthetic', 11);
  for (const [name, seed] of [
    ['start', 1],
    ['base', 2],
  ] as const)
    await runStage(recipeOf(name, { seed }), { logger: silentLogger });
});
afterAll(() => rmSync(folder, { recursive: true }));

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

describe('a run with a schedule', () => {
  it('records the weights, and goes on bit for bit after a stop', async () => {
    const weights = { forgetting: { from: 0.1, to: 1, steps: 5, kind: 'cosine' }, mitigation: fading };
    await runStage(unlearning('whole', weights), { logger: silentLogger });
    const records = stageMetrics(join(folder, 'runs', 'whole')) as unknown as Record<string, Record<string, number>>[];
    expect(records.map(({ weights: of }) => of.mitigation)).toEqual([1, 0.75, 0.5, 0.25, 0, 0]);
    expect(records.map(({ mitigation }) => mitigation !== undefined)).toEqual([true, true, true, true, false, false]);
    const stop: StopRequest = { requested: undefined } as StopRequest;
    const logger = {
      ...silentLogger,
      progress: (line: string) => {
        if (line.startsWith('step 3/')) Object.assign(stop, { requested: 'SIGINT' });
      },
    } as Logger;
    const first = await runStage(unlearning('parts', weights), { logger, stop });
    expect(first).toMatchObject({ step: 3, stoppedBy: 'SIGINT' });
    await runStage(unlearning('parts', weights), { logger: silentLogger });
    expect(weightsIn('parts').equals(weightsIn('whole'))).toBe(true);
    await runStage(unlearning('constant', {}), { logger: silentLogger });
    expect(weightsIn('constant').equals(weightsIn('whole'))).toBe(false);
  });
});

describe('model.reference', () => {
  const base = (): string => join(folder, 'runs', 'base', 'model');

  it('is what the mitigation term holds to', async () => {
    const onlyKl = { forgetting: 0, replay: 0, mitigation: 1 };
    await runStage(unlearning('to-base', onlyKl, { reference: base() }), { logger: silentLogger });
    await runStage(unlearning('to-itself', onlyKl), { logger: silentLogger });
    const kl = (name: string): number[] =>
      stageMetrics(join(folder, 'runs', name)).map(({ mitigation }) => mitigation as number);
    expect(kl('to-itself')[0]).toBeLessThan(1e-6);
    expect(kl('to-base')[0]).toBeGreaterThan(1e-3);
    expect(kl('to-base').at(-1)).toBeLessThan(kl('to-base')[0]);
  });

  it('is refused without a mitigation term, and with another vocabulary', async () => {
    expect(() => unlearning('x', { mitigation: 0 }, { reference: base() })).toThrow('a reference where unlearning has');
    await runStage(
      recipeOf('other', {
        model: {
          tokenizer: join(folder, 'tokenizer'),
          config: { vocabSize: 310, hiddenSize: 8, intermediateSize: 16, numLayers: 1, numHeads: 2, maxPositions: 32 },
        },
      }),
      { logger: silentLogger },
    );
    const other = unlearning('refused', {}, { reference: join(folder, 'runs', 'other', 'model') });
    await expect(runStage(other, { logger: silentLogger })).rejects.toThrow(
      /model.reference: expected .*300 ids.*310 ids/,
    );
  });
});
