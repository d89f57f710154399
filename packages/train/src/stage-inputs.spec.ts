import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { ShardWriter, trainTokenizer } from '@lethe/data-pipeline';
import { baselm, initializeLlama, saveLlama } from '@lethe/model';
import {
  checkpointPath,
  listCheckpoints,
  type Logger,
  readRunManifest,
  seededRandom,
  silentLogger,
  writeFolderAtomically,
} from '@lethe/run';
import { alone, useDevice } from '@lethe/tensor';
import { describeMicroBatches, type MicroBatch } from './micro-batch.js';
import { type TrainRecipe, trainRecipeSchema } from './recipe.js';
import { runStage } from './run-stage.js';
import { openInputs, stepSize } from './stage-inputs.js';
import { openStageRun } from './stage-run.js';
import { loadStageWork } from './stage-work.js';
import { type StepRecord, train } from './trainer.js';

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

  it('saves no step whose weights have no loss any more', async () => {
    const optimizer = { lr: 1e10, weightDecay: 0 };
    const recipe = recipeOf({ config: { ...SIZES, vocabSize: 262 } }, { name: 'ruined', steps: 6, optimizer });
    await expect(runStage(recipe, { logger: silentLogger })).rejects.toThrow(
      /^step 2: .*(not finite|loss is NaN|ruined)/,
    );
    expect(listCheckpoints(join(at('runs'), 'ruined', 'checkpoints'))).toEqual([]);
    const { launches } = readRunManifest(join(at('runs'), 'ruined'));
    expect(launches[0].outcome).toMatch(/^failed: step 2/);
  });

  it('keeps the last good checkpoint where finite weights are ruined, also in the last step', async () => {
    for (const [name, steps, expected] of [
      ['later', 9, [1, 2]],
      ['last', 3, [1, 2]],
    ] as const) {
      const recipe = recipeOf({ config: { ...SIZES, vocabSize: 262 } }, { name, steps, checkpoint: { every: 1 } });
      const run = await openStageRun(recipe, silentLogger);
      const work = await loadStageWork(run, 'lethe-cpu', { ranks: alone, logger: silentLogger });
      const saved: number[] = [];
      const ruin = ({ step }: StepRecord): void => {
        if (step !== 3) return;
        const { value } = work.context.model.parameter('model.norm.weight');
        value.assign(tf.mul(value, 1e6));
      };
      const training = { recipe, ...work, ranks: alone, logger: silentLogger, onStep: ruin };
      const save = async (step: number): Promise<void> => void saved.push(step);
      await expect(train({ ...training, save }, 0)).rejects.toThrow(
        /^step [34]: the replay loss is .*, where chance is 5\.57 and the first step had 5\.\d+: .* ruined.*Lower optimizer\.lr/,
      );
      expect(saved).toEqual(expected);
      work.dispose();
    }
  });

  it('goes on from the checkpoint before one that says what it should not', async () => {
    const recipe = recipeOf({ config: { ...SIZES, vocabSize: 262 } }, { name: 'misled', checkpoint: { every: 1 } });
    const checkpoints = join(at('runs'), 'misled', 'checkpoints');
    const warnings: string[] = [];
    const logger: Logger = { ...silentLogger, warn: (text) => void warnings.push(text) };
    const wrong: [(state: Record<string, unknown>) => unknown, RegExp][] = [
      [(state) => ({ ...state, step: 1 }), /expected step 2, received 1/],
      [(state) => ({ ...state, recipeHash: 3 }), /recipeHash: .*expected string/],
      [() => [], /expected object/],
      [(state) => ({ ...state, validations: [null] }), /validations\.0/],
    ];
    for (const [change, message] of wrong) {
      await runStage(recipe, { logger: silentLogger });
      rmSync(join(at('runs'), 'misled', 'model'), { recursive: true });
      const last = checkpointPath(checkpoints, 2);
      await writeFolderAtomically(
        last,
        (fresh) => {
          cpSync(last, fresh, { recursive: true, filter: (file) => !/step-0+2.manifest\.json$/.test(file) });
          const state = JSON.parse(readFileSync(join(last, 'state.json'), 'utf8')) as Record<string, unknown>;
          writeFileSync(join(fresh, 'state.json'), JSON.stringify(change(state)));
        },
        { replace: true },
      );
      expect(await runStage(recipe, { logger })).toMatchObject({ step: 2, wasFinished: false });
      expect(warnings.splice(0)).toEqual([expect.stringMatching(message)]);
    }
    await writeFolderAtomically(checkpointPath(checkpoints, 2), (fresh) => writeFileSync(join(fresh, 'x'), ''), {
      replace: true,
    });
    rmSync(join(at('runs'), 'misled', 'model'), { recursive: true });
    await runStage(recipe, { logger });
    expect(warnings).toEqual([
      expect.stringMatching(/expected state\.json among the files of the manifest, found 1 others/),
    ]);
  });
});

it('a start model with NaN is named, before any step blames the data', async () => {
  const model = initializeLlama(baselm({ ...SIZES, numKeyValueHeads: 1, headDim: 4, vocabSize: 262 }), 1);
  const norm = model.parameter('model.norm.weight');
  norm.value.assign(tf.tensor1d([1, 1, NaN, 1, 1, 1, 1, 1]));
  await saveLlama(model, at('poisoned'));
  model.dispose();
  for (const file of ['tokenizer.json', 'tokenizer_config.json'])
    cpSync(join(at('tokenizer'), file), join(at('poisoned'), file));
  await expect(
    runStage(recipeOf({ init: at('poisoned') }, { name: 'poisoned' }), { logger: silentLogger }),
  ).rejects.toThrow(/poisoned: tensor 'model\.norm\.weight' holds NaN at element 2 of \[8\]; take another checkpoint/);
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

it('a step of several ranks holds the rows and moments of one of them', () => {
  const recipe = recipeOf({ init: at('base') }, { batch: { replayRows: 5, accumulate: 3 } });
  const large = baselm({ vocabSize: 32_768, hiddenSize: 64, intermediateSize: 96, numLayers: 1, numHeads: 2 });
  const [alone, shared] = [1, 2].map((ranks) => stepSize(recipe, large, ranks));
  const parts = shared.moments! / alone.moments!;
  expect([alone.rows, shared.rows]).toEqual([5, 4]); // 15 rows: 8 and 7, in two micro-batches each
  expect(parts).toBeGreaterThan(0.5); // small parameters are whole on both
  expect(parts).toBeLessThan(0.52);
  const whole = recipeOf({ init: at('base') }, { ranks: { shard: 'none' } });
  expect(stepSize(whole, large, 2).moments).toBe(alone.moments);
});
