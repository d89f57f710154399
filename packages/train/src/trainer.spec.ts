import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ShardReader, ShardWriter, trainTokenizer } from '@lethe/data-pipeline';
import { type Logger, silentLogger } from '@lethe/run';
import { type TrainRecipe, trainRecipeSchema } from './recipe.js';
import { requireSameRecipe } from './recipe-hash.js';
import { runStage } from './run-stage.js';
import { openStepRecords } from './step-records.js';

const V = 300;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lethe-trainer-'));
  const text = 'The whale swam north past the ship, and the captain watched the water all night, 12 of 305 miles.';
  const { hash } = await trainTokenizer([text], { vocabSize: V, folder: join(folder, 'tokenizer') });
  const writer = await ShardWriter.create(join(folder, 'natural'), { vocabSize: V, tokenizerHash: hash, eosId: 0 });
  for (let d = 0; d < 30; d++)
    await writer.add(Int32Array.from({ length: 8 }, (_, i) => 1 + ((5 * d + i * i) % (V - 1))));
  await writer.finish();
});
afterAll(() => rmSync(folder, { recursive: true }));

const recipeOf = (name: string, more: object = {}): TrainRecipe =>
  trainRecipeSchema.parse({
    name,
    runs: join(folder, 'runs'),
    stage: 'pretrain',
    model: {
      config: { hiddenSize: 8, intermediateSize: 16, numLayers: 1, numHeads: 2, maxPositions: 32 },
      tokenizer: join(folder, 'tokenizer'),
    },
    data: { rowLength: 16, replay: [{ shards: join(folder, 'natural') }] },
    batch: { replayRows: 2 },
    steps: 6,
    ...more,
  });

it('saves the last finished step where data cannot be read any more, and says why', async () => {
  const recipe = recipeOf('cut');
  let steps = 0;
  const read = ShardReader.prototype.readBatch;
  const failing = jest.spyOn(ShardReader.prototype, 'readBatch').mockImplementation(function (this: ShardReader, i) {
    return steps >= 3 ? Promise.reject(new Error('EIO: i/o error, read')) : read.call(this, i);
  });
  const logger: Logger = { ...silentLogger, progress: () => void steps++ };
  await expect(runStage(recipe, { logger })).rejects.toThrow('EIO');
  failing.mockRestore();
  const saved = readdirSync(join(folder, 'runs', 'cut', 'checkpoints'));
  expect(saved).toEqual(['step-00000003']);
  expect((await runStage(recipe, { logger: silentLogger })).step).toBe(6);
});

it('a finished run goes on to more steps as if it had been given them, and not back', async () => {
  const weights = (name: string): Buffer => readFileSync(join(folder, 'runs', name, 'model', 'model.safetensors'));
  await runStage(recipeOf('short', { steps: 4 }), { logger: silentLogger });
  const longer = await runStage(recipeOf('short', { steps: 7 }), { logger: silentLogger });
  expect(longer).toMatchObject({ step: 7, wasFinished: false });
  await runStage(recipeOf('long', { steps: 7 }), { logger: silentLogger });
  expect(weights('short').equals(weights('long'))).toBe(true);
  await expect(runStage(recipeOf('short', { steps: 5 }), { logger: silentLogger })).rejects.toThrow(
    /short is at step 7, past steps: 5; give it as many steps or more, or choose another name/,
  );
});

it('names the keys that have changed since a run began', async () => {
  const run = join(folder, 'runs', 'named');
  const schedule = { kind: 'cosine' };
  await runStage(recipeOf('named', { steps: 2, schedule }), { logger: silentLogger });
  await expect(runStage(recipeOf('named', { steps: 3, schedule }), { logger: silentLogger })).rejects.toThrow(
    'holds a run of another recipe: steps was 2 and is 3 (the learning rates of a cosine depend on it); choose',
  );
  const other = recipeOf('named', {
    steps: 2,
    schedule,
    seed: 5,
    batch: { replayRows: 3 },
    optimizer: { lr: 1, beta1: 0 },
  });
  await expect(runStage(other, { logger: silentLogger })).rejects.toThrow(
    /another recipe: seed was \d+ and is 5, batch.replayRows was 2 and is 3, optimizer.lr was \S+ and is 1, and 1 more; choose/,
  );
  const stopped = recipeOf('named', { steps: 2, schedule, model: { ...other.model, recompute: true } });
  expect(() =>
    requireSameRecipe('x', { ...stopped, model: { ...stopped.model, reference: 'models/base' } }, run),
  ).toThrow(/model.recompute was false and is true, model.reference was absent and is "models\/base"; choose/);
  const same = recipeOf('named', { steps: 2, schedule });
  expect(() => requireSameRecipe('of an older version', same, run)).toThrow(/holds a run of another recipe; choose/);
  rmSync(join(folder, 'runs', 'named', 'manifest.json'));
  await expect(runStage(other, { logger: silentLogger })).rejects.toThrow('holds a run of another recipe; choose');
});

it('says which records of a run that goes on are lost', () => {
  const told: string[] = [];
  const run = {
    folder,
    recipe: recipeOf('records', { metrics: { every: 2 } }),
    onDamage: (one: string) => told.push(one),
  };
  openStepRecords(run, 3).close();
  expect(told).toEqual([
    `${join(folder, 'metrics.jsonl')} holds no records, and the run goes on after step 3: those between are lost`,
  ]);
  const records = openStepRecords(run);
  for (const step of [1, 2, 3]) records.write({ step, loss: 1 });
  records.close();
  expect(existsSync(join(folder, 'metrics.jsonl'))).toBe(true);
  openStepRecords(run, 3).close();
  expect(told).toHaveLength(1);
  openStepRecords(run, 5).close();
  expect(told[1]).toMatch(/ends at step 2, and the run goes on after step 5/);
});
