import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ShardWriter, trainTokenizer } from '@lethe/data-pipeline';
import {
  baselm,
  initializeLlama,
  Llama,
  loadLlama,
  openSafetensors,
  readAdapter,
  saveLlama,
  scoreSequences,
} from '@lethe/model';
import { seededRandom, silentLogger } from '@lethe/run';
import { useDevice } from '@lethe/tensor';
import { removeCached } from './cached/cache-folder.js';
import { type TrainRecipe, trainRecipeSchema } from './recipe.js';
import { runStage } from './run-stage.js';
import { stageRecords } from './stage-folder.js';

const SIZES = { hiddenSize: 16, intermediateSize: 48, numLayers: 2, numHeads: 2, numKeyValueHeads: 1, headDim: 8 };
const config = baselm({ ...SIZES, vocabSize: 262, maxPositions: 32, initializerRange: 0.3, tieEmbeddings: true });
const folder = mkdtempSync(join(tmpdir(), 'lethe-lora-'));
const at = (...names: string[]): string => join(folder, ...names);

beforeAll(async () => {
  await useDevice('lethe-cpu');
  const { hash } = await trainTokenizer(['a b c'], { vocabSize: 262, folder: at('tokenizer') });
  for (const name of ['natural', 'synthetic']) {
    const random = seededRandom(1, name);
    const writer = await ShardWriter.create(at(name), { vocabSize: 262, tokenizerHash: hash, eosId: 2 });
    for (let i = 0; i < 30; i++)
      await writer.add(Int32Array.from({ length: 3 + random.int(20) }, () => 6 + random.int(250)));
    await writer.finish();
  }
  const model = initializeLlama(config, 1);
  await saveLlama(model, at('synth'), { tokenizerFrom: at('tokenizer') });
  model.dispose();
});
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => ['natural', 'synthetic'].forEach((name) => removeCached(at(name))));

const recipeOf = (name: string, model: object = {}, rest: object = {}): TrainRecipe =>
  trainRecipeSchema.parse({
    name,
    runs: at('runs'),
    stage: 'unlearn',
    model: { init: at('synth'), lora: { rank: 3 }, ...model },
    data: { rowLength: 16, replay: [{ shards: at('natural') }], forget: [{ shards: at('synthetic') }] },
    batch: { replayRows: 3, forgetRows: 2, accumulate: 2 },
    optimizer: { lr: 1e-2 },
    steps: 6,
    threads: 1,
    ...rest,
  });
const REPLAYED = { batch: { replayRows: 3 }, data: { rowLength: 16, replay: [{ shards: at('natural') }] } };
const run = (recipe: TrainRecipe) => runStage(recipe, { logger: silentLogger });

function tensorsOf(...path: string[]): Map<string, Float32Array> {
  const reader = openSafetensors(at(...path));
  try {
    return new Map([...reader.tensors.keys()].map((name) => [name, reader.readFloat32(name)]));
  } finally {
    reader.close();
  }
}
const adapterOf = (name: string, ...within: string[]): Map<string, Float32Array> =>
  tensorsOf('runs', name, ...within, 'adapter', 'adapter_model.safetensors');
const modelOf = (name: string): Map<string, Float32Array> => tensorsOf('runs', name, 'model', 'model.safetensors');
const moved = (a: Float32Array, b: Float32Array): boolean => a.some((value, i) => value !== b[i]);

it.each([
  ['unlearn', 'fp32', {}],
  ['unlearn', 'bf16', {}],
  ['unlearn', 'fp32', { objective: { method: 'npo', beta1: 0.1 } }],
  ['refine', 'fp32', REPLAYED],
  ['finetune', 'fp32', REPLAYED],
  ['pretrain', 'bf16', REPLAYED],
])('%s in %s moves every adapter, and of the base what they change: %j', async (stage, precision, rest) => {
  const name = `${stage}-${precision}-${Object.keys(rest)[0] ?? 'plain'}`;
  await run(recipeOf(name, {}, { stage, precision, checkpoint: { every: 1, keep: 9 }, steps: 4, ...rest }));
  const [first, last] = [adapterOf(name, 'checkpoints', 'step-00000001'), adapterOf(name)];
  expect(last.size).toBe(2 * 7 * config.numLayers);
  for (const [key, values] of last) {
    if (!moved(values, first.get(key)!)) throw new Error(`${key} has not moved`);
    if (!values.some((value) => value !== 0)) throw new Error(`${key} is 0`);
  }
  const [base, merged] = [tensorsOf('synth', 'model.safetensors'), modelOf(name)];
  for (const [key, values] of merged)
    expect([key, moved(values, base.get(key)!)]).toEqual([key, key.endsWith('_proj.weight')]);
});

it('a whole model that is saved says what the adapted one does', async () => {
  await run(recipeOf('said'));
  await useDevice('lethe-cpu');
  const ids = [
    [5, 17, 88, 2, 40, 9],
    [200, 7, 31],
  ];
  const { model: whole } = loadLlama(at('runs', 'said', 'model'), { trainable: false });
  const { model: adapted } = loadLlama(at('synth'), { trainable: false });
  const before = scoreSequences(adapted, ids).flat();
  adapted.adapt(readAdapter(at('runs', 'said', 'adapter'), adapted.config));
  const { model: read } = loadLlama(at('synth'), { trainable: false, adapter: at('runs', 'said', 'adapter') });
  const scores = [whole, adapted, read].map((model) => scoreSequences(model, ids).flat());
  for (const [i, score] of scores[0].entries()) {
    if (score === null || score === undefined) continue;
    for (const other of scores) expect(Math.abs(other[i]! - score)).toBeLessThanOrEqual(2e-5 * Math.abs(score) + 2e-6);
  }
  expect(scores[0].some((score, i) => Math.abs((score ?? 0) - (before[i] ?? 0)) > 0.01)).toBe(true);
  [whole, adapted, read].forEach((model) => model.dispose());
});

it.each(['fp32', 'bf16'])(
  'goes on bit by bit in %s, from a checkpoint that holds the adapter alone',
  async (precision) => {
    const rest = { precision, checkpoint: { every: 2, keep: 3 } };
    await run(recipeOf(`${precision}-short`, {}, { ...rest, steps: 3 }));
    await run(recipeOf(`${precision}-short`, {}, { ...rest, steps: 6 }));
    await run(recipeOf(`${precision}-long`, {}, { ...rest, steps: 6 }));
    for (const file of [
      'model/model.safetensors',
      'adapter/adapter_model.safetensors',
      'adapter/adapter_config.json',
    ]) {
      const [a, b] = ['short', 'long'].map((name) => readFileSync(at('runs', `${precision}-${name}`, file)));
      expect([file, a.equals(b)]).toEqual([file, true]);
    }
    const checkpoint = at('runs', `${precision}-long`, 'checkpoints', 'step-00000006');
    expect(readdirSync(checkpoint).sort()).toEqual(['adapter', 'manifest.json', 'optimizer.safetensors', 'state.json']);
  },
);

const measuresOf = (name: string): unknown[] =>
  stageRecords(at('runs', name)).map(({ seconds: _s, tokensPerSecond: _t, memoryBytes: _m, ...rest }) => rest);

it.each(['fp32', 'bf16'])('the original is the base without the adapter in %s, live and cached', async (precision) => {
  const [live, cached] = [`live-${precision}`, `cached-${precision}`];
  const forward = jest.spyOn(Llama.prototype, 'hidden');
  await run(recipeOf(live, {}, { precision }));
  expect(new Set(forward.mock.contexts).size).toBe(1);
  forward.mockRestore();
  await run(recipeOf(cached, { original: 'cached' }, { precision }));
  expect(measuresOf(cached)).toEqual(measuresOf(live));
  const mitigations = stageRecords(at('runs', live)).map(({ mitigation }) => mitigation as number);
  expect(Math.abs(mitigations[0])).toBeLessThan(1e-6); // B is 0: both are the same model
  expect(mitigations.at(-1)).toBeGreaterThan(1e-5);
  expect(adapterOf(cached)).toEqual(adapterOf(live));
});

it('the model of a run with patience is the best one, whole and as an adapter', async () => {
  const validation = { replay: [{ shards: at('synthetic') }], every: 1, rows: 8 };
  const patient = { stage: 'refine', stop: { patience: 2 }, steps: 12, optimizer: { lr: 0.3 }, ...REPLAYED };
  const recipe = recipeOf('patient', {}, { validation, ...patient });
  const { decision } = await run(recipe);
  expect(decision?.held).toBeLessThan(decision!.step);
  const held = `step-${String(decision!.held).padStart(8, '0')}`;
  expect(adapterOf('patient')).toEqual(adapterOf('patient', 'checkpoints', held));
  const merged = loadLlama(at('synth'), { trainable: false, adapter: at('runs', 'patient', 'adapter') }).model;
  for (const { name, value } of merged.parameters) expect(modelOf('patient').get(name)).toEqual(value.dataSync());
  merged.dispose();
});

it('refuses what an adapter cannot be', async () => {
  const problem = (lora: object, model: object = {}): string =>
    trainRecipeSchema
      .safeParse({ ...recipeOf('refused'), model: { init: at('synth'), ...model, lora } })
      .error!.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
      .join('\n');
  expect(problem({ dropout: 0.1 })).toMatch(/^model\.lora\.dropout: 0 only: Lethe has no dropout/);
  expect(problem({ targets: ['lm_head'] })).toMatch(/^model\.lora\.targets\.0: .*q_proj/);
  expect(problem({ targets: ['q_proj', 'q_proj'] })).toBe('model.lora.targets: each target once');
  const sizes = { hiddenSize: 8, intermediateSize: 16, numLayers: 1, numHeads: 2, maxPositions: 32 };
  expect(problem({}, { init: undefined, config: sizes })).toMatch(/^model\.lora: an adapter over a checkpoint/);
  await expect(run(recipeOf('wide', { lora: { rank: 9, targets: ['k_proj'] } }))).rejects.toThrow(
    'model.lora.rank: expected at most 8, the smaller side of model.layers.0.self_attn.k_proj [8, 16], received 9',
  );
});
