import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RowWriter, ShardWriter, trainTokenizer } from '@lethe/data-pipeline';
import { baselm, countParameters, initializeLlama, Llama, saveLlama, type TokenBatch } from '@lethe/model';
import { lockWithin, type Logger, seededRandom, silentLogger, type StopRequest, whileLocked } from '@lethe/run';
import { useDevice } from '@lethe/tensor';
import { type TrainRecipe, trainRecipeSchema } from '../recipe.js';
import { runStage, type StageResult } from '../run-stage.js';
import { stageRecords } from '../stage-folder.js';
import { removeCached } from './cache-folder.js';

const SIZES = { hiddenSize: 16, intermediateSize: 64, numLayers: 4, numHeads: 2, numKeyValueHeads: 1, headDim: 8 };
const config = baselm({ ...SIZES, vocabSize: 262, maxPositions: 32, initializerRange: 0.3, tieEmbeddings: true });
const T = 16;
const folder = mkdtempSync(join(tmpdir(), 'lethe-cached-'));
const at = (name: string): string => join(folder, name);

let hash: string;
async function writeShards(name: string, documents: number): Promise<void> {
  const random = seededRandom(1, name);
  const writer = await ShardWriter.create(at(name), { vocabSize: 262, tokenizerHash: hash, eosId: 2 });
  for (let i = 0; i < documents; i++)
    await writer.add(Int32Array.from({ length: 3 + random.int(20) }, () => 6 + random.int(250)));
  await writer.finish();
}

beforeAll(async () => {
  await useDevice('lethe-cpu');
  hash = (await trainTokenizer(['a b c'], { vocabSize: 262, folder: at('tokenizer') })).hash;
  for (const [name, documents] of [
    ['natural', 30],
    ['more', 12],
    ['synthetic', 30],
  ] as const)
    await writeShards(name, documents);
  for (const [seed, name] of ['base', 'synth'].entries()) {
    const model = initializeLlama(config, seed + 1);
    await saveLlama(model, at(name), { tokenizerFrom: at('tokenizer') });
    model.dispose();
  }
});
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => ['natural', 'more', 'synthetic'].forEach((name) => removeCached(at(name))));

const shards = (...names: string[]) => names.map((name) => ({ shards: at(name) }));
const recipeOf = (name: string, model: object, rest: object = {}): TrainRecipe =>
  trainRecipeSchema.parse({
    name,
    runs: at('runs'),
    stage: 'unlearn',
    model: { init: at('synth'), ...model },
    data: { rowLength: T, replay: shards('natural'), forget: shards('synthetic') },
    batch: { replayRows: 3, forgetRows: 2, accumulate: 2 },
    optimizer: { lr: 1e-3 },
    steps: 8,
    threads: 1,
    ...rest,
  });

const lines: string[] = [];
const logger: Logger = {
  ...silentLogger,
  info: (line) => void lines.push(line),
  warn: (line) => void lines.push(line),
};
beforeEach(() => void lines.splice(0));
const run = (recipe: TrainRecipe, more: object = {}): Promise<StageResult> => runStage(recipe, { logger, ...more });

/** What a run recorded, but for times and memory. */
const measuresOf = ({ runs, name }: TrainRecipe): object[] =>
  stageRecords(join(runs, name)).map(({ seconds: _s, tokensPerSecond: _t, memoryBytes: _m, validation, ...rest }) => ({
    ...rest,
    ...(validation !== undefined && { validation: { ...(validation as object), seconds: 0 } }),
  }));
const weightsOf = ({ runs, name }: TrainRecipe): Buffer => readFileSync(join(runs, name, 'model', 'model.safetensors'));
const cachesOf = (name: string): string[] => readdirSync(at(name)).filter((found) => found.startsWith('.original-'));
/** Rows that were computed, as the log says. */
const computed = (): number[] =>
  lines.flatMap((line) => Number(/hidden states of (\d+) rows/.exec(line)?.[1] ?? NaN) || []);

async function bothOf(name: string, model: object, rest: object = {}): Promise<[TrainRecipe, TrainRecipe]> {
  const live = recipeOf(`${name}-live`, { ...model, original: 'live' }, rest);
  const cached = recipeOf(`${name}-cached`, { ...model, original: 'cached' }, rest);
  await run(live);
  await run(cached);
  return [live, cached];
}

const validation = { replay: shards('more'), forget: shards('synthetic'), every: 3, rows: 10 };
it.each([
  ['fp32', {}, { validation }],
  ['bf16', {}, { precision: 'bf16', validation }],
  [
    'a mix of shards',
    {},
    { data: { rowLength: T, packing: 'concat', replay: shards('natural', 'more'), forget: shards('synthetic') } },
  ],
  ['a reference', { reference: () => at('base') }, { validation }],
  // In six steps no forget row is read twice, beside another one: kernels may round that otherwise.
  [
    'a method that compares forget rows',
    { reference: () => at('base') },
    { objective: { method: 'npo', beta1: 0.1 }, steps: 6 },
  ],
])('a cached original gives what a live one does: %s', async (name, model, rest) => {
  const given = Object.fromEntries(Object.entries(model).map(([key, of]) => [key, of()]));
  const [live, cached] = await bothOf(name.replaceAll(' ', '-'), given, rest);
  expect(measuresOf(cached)).toEqual(measuresOf(live));
  expect(measuresOf(cached).some((measures) => 'mitigation' in measures)).toBe(true);
  expect(weightsOf(cached).equals(weightsOf(live))).toBe(true);
});

it('runs the original over held rows alone', async () => {
  const replay = [{ shards: at('natural'), held: false, proportion: 2 }, { shards: at('more') }];
  const [live, cached] = await bothOf('held', {}, { data: { rowLength: T, replay, forget: shards('synthetic') } });
  expect(cachesOf('natural')).toEqual([]);
  expect(cachesOf('more')).toHaveLength(1);
  const mitigation = (recipe: TrainRecipe): number[] =>
    stageRecords(join(recipe.runs, recipe.name)).map((record) => record.mitigation as number);
  for (const [i, found] of mitigation(cached).entries()) expect(found).toBeCloseTo(mitigation(live)[i], 5);
  expect(Math.max(...mitigation(live))).toBeGreaterThan(1e-3);
});

it('runs the original once over each row, and does not hold its body', async () => {
  const forward = jest.spyOn(Llama.prototype, 'hidden');
  const recipe = { steps: 6, metrics: { termGradientsEvery: 0 } };
  const [live, cached] = await bothOf('once', {}, recipe);
  expect(computed()).toHaveLength(1);
  const rows = forward.mock.contexts.map(
    (model, i) => [model, (forward.mock.calls[i][0] as TokenBatch).numRows] as const,
  );
  forward.mockRestore();
  const ofModel = new Map<unknown, number>();
  for (const [model, count] of rows) ofModel.set(model, (ofModel.get(model) ?? 0) + count);
  const trained = 7 * 2 * 5; // 6 steps, and the last batches once more after them
  expect([...ofModel.values()]).toEqual([7 * 2 * 3, trained, computed()[0], trained]);
  const peak = ({ runs, name }: TrainRecipe): number => stageRecords(join(runs, name)).at(-1)!.memoryBytes as number;
  const body = 4 * (countParameters(config) - config.vocabSize * config.hiddenSize);
  expect(peak(live) - peak(cached)).toBeGreaterThanOrEqual(0.95 * body);
});

it('other runs over the same rows compute none of them; other models, rows and precisions theirs', async () => {
  await run(recipeOf('first', { original: 'cached' }));
  expect(computed()).toHaveLength(1);
  await run(recipeOf('lower', { original: 'cached' }, { optimizer: { lr: 1e-4 } }));
  expect(computed()).toHaveLength(1);
  expect(cachesOf('natural')).toHaveLength(1);
  await run(recipeOf('copy', { original: 'cached', reference: at('synth') }));
  expect(computed()).toHaveLength(1);
  await run(recipeOf('base', { original: 'cached', reference: at('base') }));
  await run(recipeOf('seed', { original: 'cached' }, { seed: 2 }));
  await run(recipeOf('bf16', { original: 'cached' }, { precision: 'bf16' }));
  expect(computed()).toHaveLength(4);
  expect(cachesOf('natural')).toHaveLength(4);
  await writeShards('natural', 29);
  expect(cachesOf('natural')).toEqual([]);
});

it('longer runs compute what is missing, stopped and failed ones the rest', async () => {
  const [few, all] = [
    recipeOf('grows', { original: 'cached' }, { steps: 2 }),
    recipeOf('grows', { original: 'cached' }),
  ];
  await run(few);
  const stop = { requested: undefined as StopRequest['requested'], dispose: () => {} };
  const stopping = { ...logger, progress: () => void (stop.requested = 'SIGINT') };
  expect(await runStage(all, { logger: stopping, stop })).toMatchObject({ step: 2, stoppedBy: 'SIGINT' });
  await run(all);
  const [first, second, third] = computed();
  expect(first).toBe(2 * 2 * 3);
  expect(second - third).toBe(3);
  await run(recipeOf('live', {}));
  expect(weightsOf(all).equals(weightsOf(recipeOf('live', {})))).toBe(true);
});

it('what is broken off within a micro-batch goes on with the same rows side by side', async () => {
  const recipe = recipeOf('broken-off', { original: 'cached' });
  const forward = jest.spyOn(Llama.prototype, 'hidden');
  const frozenShapes = (): number[] => {
    const { contexts, calls } = forward.mock;
    const shapes = calls.filter((_, i) => contexts[i] === contexts[0]).map(([batch]) => (batch as TokenBatch).numRows);
    forward.mockClear();
    return shapes;
  };
  await run(recipeOf('whole', { original: 'cached' }));
  const whole = frozenShapes();
  removeCached(at('natural'));
  let left = 4;
  const writeRow = RowWriter.prototype.add;
  RowWriter.prototype.add = function (...row) {
    if (left-- === 0) throw new Error('broken off');
    return writeRow.apply(this, row);
  };
  await expect(run(recipe)).rejects.toThrow('broken off');
  RowWriter.prototype.add = writeRow;
  expect(frozenShapes()).toEqual(whole.slice(0, 2));
  await run(recipe);
  expect(frozenShapes()).toEqual(whole.slice(1));
  forward.mockRestore();
  expect(weightsOf(recipe).equals(weightsOf(recipeOf('whole', {})))).toBe(true);
});

it('what is damaged is named', async () => {
  const recipe = recipeOf('damaged', { original: 'cached' });
  await run({ ...recipe, steps: 2 });
  const store = join(at('natural'), cachesOf('natural')[0]);
  const file = join(store, 'hidden-0-00000.arrow');
  writeFileSync(file, readFileSync(file).fill(1, 2000, 2100));
  await expect(run(recipeOf('again', { original: 'cached' }, { steps: 2 }))).rejects.toThrow(
    /hidden-0-00000\.arrow: row \d+ is damaged .* remove the folder, and start again/,
  );
});

it('waits for a process that computes the same, unless a signal comes', async () => {
  await run(recipeOf('known', { original: 'cached' }, { steps: 2 }));
  const lock = lockWithin(join(at('natural'), cachesOf('natural')[0]));
  const stop = { requested: undefined as StopRequest['requested'], dispose: () => {} };
  await whileLocked(lock, async () => {
    const waiting = {
      ...logger,
      info: (line: string) => void (lines.push(line), line.includes('waiting') && (stop.requested = 'SIGTERM')),
    };
    const result = await runStage(recipeOf('waits', { original: 'cached' }), { logger: waiting, stop });
    expect(result).toMatchObject({ step: 0, stoppedBy: 'SIGTERM' });
    // Rows that are there need no lock.
    expect(await run(recipeOf('reads', { original: 'cached' }, { steps: 2, optimizer: { lr: 1e-4 } }))).toMatchObject({
      step: 2,
    });
  });
  expect(lines.find((line) => line.includes('waiting'))).toMatch(
    /process \d+ on .* has worked here since .*; waiting for what it computes$/,
  );
  await run(recipeOf('waits', { original: 'cached' }));
});
