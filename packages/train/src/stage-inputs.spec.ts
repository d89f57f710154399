import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ShardWriter, trainTokenizer } from '@lethe/data-pipeline';
import { baselm, initializeLlama, saveLlama } from '@lethe/model';
import { listCheckpoints, type Logger, readRunManifest, seededRandom, silentLogger } from '@lethe/run';
import { useDevice } from '@lethe/tensor';
import { describeMicroBatches, type MicroBatch } from './micro-batch.js';
import { type TrainRecipe, trainRecipeSchema } from './recipe.js';
import { runStage } from './run-stage.js';
import { openInputs } from './stage-inputs.js';

const SIZES = { hiddenSize: 8, intermediateSize: 16, numLayers: 1, numHeads: 2, maxPositions: 32 };
const folder = mkdtempSync(join(tmpdir(), 'lethe-stage-'));
const at = (name: string): string => join(folder, name);
const random = seededRandom(1, 'stage inputs');

async function writeShards(name: string): Promise<void> {
  rmSync(at(name), { recursive: true, force: true });
  const writer = await ShardWriter.create(at(name), { vocabSize: 262, tokenizerHash: hash, eosId: 2 });
  for (let i = 0; i < 60; i++) await writer.add(Int32Array.from({ length: 20 }, () => 6 + random.int(250)));
  await writer.finish();
}

let hash: string;
beforeAll(async () => {
  await useDevice('lethe-cpu');
  hash = (await trainTokenizer(['a b c'], { vocabSize: 262, folder: at('tokenizer') })).hash;
  await trainTokenizer(['ab ab ab'], { vocabSize: 263, folder: at('another') });
  for (const name of ['natural', 'synthetic']) await writeShards(name);
  const save = async (name: string, vocabSize: number, tokenizer: string): Promise<void> => {
    const model = initializeLlama(baselm({ ...SIZES, numKeyValueHeads: 1, headDim: 4, vocabSize }), 1);
    await saveLlama(model, at(name));
    model.dispose();
    for (const file of ['tokenizer.json', 'tokenizer_config.json'])
      cpSync(join(at(tokenizer), file), join(at(name), file));
  };
  await save('base', 262, 'tokenizer');
  await save('narrow', 261, 'tokenizer');
  await save('foreign', 262, 'another');
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

const recipeOf = (model: object, rest: object = {}): TrainRecipe =>
  trainRecipeSchema.parse({
    name: 'stage',
    runs: at('runs'),
    stage: 'pretrain',
    model,
    data: { rowLength: 32, replay: [{ shards: at('natural') }] },
    batch: { replayRows: 2 },
    steps: 2,
    metrics: { termGradientsEvery: 0 },
    ...rest,
  });

describe('the inputs of a stage are refused', () => {
  it.each<[string, object, RegExp]>([
    ['without a vocabulary', { config: SIZES }, /a fresh model needs model\.config\.vocabSize or model\.tokenizer/],
    [
      'where heads do not divide the width',
      { config: { ...SIZES, vocabSize: 262, numHeads: 3 } },
      /hiddenSize must be a/,
    ],
    [
      'where heads of keys do not divide heads',
      { config: { ...SIZES, vocabSize: 262, numHeads: 4, numKeyValueHeads: 3 } },
      /numHeads of numKeyValueHeads/,
    ],
    [
      'where rows exceed the context',
      { config: { ...SIZES, vocabSize: 262, maxPositions: 16 } },
      /rowLength is 32, and/,
    ],
    [
      'where the model has fewer ids than its tokenizer',
      { init: at('narrow') },
      /the tokenizer has 262 ids, and .* 261/,
    ],
  ])('%s', async (_what, model, message) => {
    await expect(openInputs(recipeOf(model))).rejects.toThrow(message);
  });

  it.each([
    ['narrow', /model \(262 ids\), received .*narrow with 261 ids and the same tokenizer/],
    ['foreign', /received .*foreign with 262 ids and another tokenizer; take a model of the same lineage/],
  ])('where the reference is of another lineage: %s', async (name, message) => {
    const unlearn = { stage: 'unlearn', batch: { replayRows: 2, forgetRows: 2 } };
    const data = { rowLength: 32, replay: [{ shards: at('natural') }], forget: [{ shards: at('synthetic') }] };
    const recipe = recipeOf({ init: at('base'), reference: at(name) }, { ...unlearn, data });
    await expect(openInputs(recipe)).rejects.toThrow(message);
  });
});

describe('a run that is not finished', () => {
  const unfinished = async (name: string): Promise<TrainRecipe> => {
    const recipe = recipeOf({ config: { ...SIZES, vocabSize: 262 } }, { name, checkpoint: { every: 1 } });
    await runStage(recipe, { logger: silentLogger });
    rmSync(join(at('runs'), name, 'model'), { recursive: true });
    return recipe;
  };

  it('goes on with the shards that it began with, and names those that have changed', async () => {
    const recipe = await unfinished('changed');
    expect(await runStage(recipe, { logger: silentLogger })).toMatchObject({ step: 2, wasFinished: false });
    rmSync(join(at('runs'), 'changed', 'model'), { recursive: true });
    await writeShards('natural');
    await expect(runStage(recipe, { logger: silentLogger })).rejects.toThrow(
      /natural: changed since .*changed began; restore what changed, choose another name/,
    );
    const file = join(at('runs'), 'changed', 'manifest.json');
    const { data: _, ...untold } = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify(untold));
    await expect(runStage(recipe, { logger: silentLogger })).rejects.toThrow(
      /^the shards of .*changed: changed since /,
    );
  });

  it('keeps the last step before a loss that is no number', async () => {
    const optimizer = { lr: 1e10, weightDecay: 0 };
    const recipe = recipeOf({ config: { ...SIZES, vocabSize: 262 } }, { name: 'ruined', steps: 6, optimizer });
    await expect(runStage(recipe, { logger: silentLogger })).rejects.toThrow(/^step \d+: .*not finite|loss is NaN/);
    expect(listCheckpoints(join(at('runs'), 'ruined', 'checkpoints')).map(({ step }) => step)).toEqual([1]);
    const { launches } = readRunManifest(join(at('runs'), 'ruined'));
    expect(launches[0].outcome).toMatch(/^failed: step 2/);
  });
});

it('auto says which device it takes, and why', async () => {
  const warnings: string[] = [];
  const logger: Logger = { ...silentLogger, warn: (text) => void warnings.push(text) };
  const recipe = recipeOf({ config: { ...SIZES, vocabSize: 262 } }, { name: 'auto', device: 'auto', steps: 1 });
  await runStage(recipe, { logger });
  expect(warnings).toEqual([expect.stringMatching(/^auto takes lethe-cpu: /)]);
});

it('a message names eight documents of a batch, and how many more there are', () => {
  const batch = (count: number): MicroBatch =>
    ({ replay: { documents: Array.from({ length: count }, (_, i) => `d${i}`) } }) as unknown as MicroBatch;
  expect(describeMicroBatches([batch(2)])).toBe('replay: d0, d1');
  expect(describeMicroBatches([batch(9), batch(2)])).toBe('replay: d0, d1, d2, d3, d4, d5, d6, d7 and 3 more');
});
