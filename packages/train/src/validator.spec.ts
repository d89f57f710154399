import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ShardWriter } from '@lethe/data-pipeline';
import { baselm, initializeLlama, type Llama, scoreSequences } from '@lethe/model';
import type { Logger } from '@lethe/run';
import { alone, useDevice } from '@lethe/tensor';
import * as tf from '@tensorflow/tfjs-core';
import type { MicroBatch } from './micro-batch.js';
import type { TrainRecipe } from './recipe.js';
import type { StepContext } from './step.js';
import { openValidationRows } from './validation-rows.js';
import { Validator } from './validator.js';

const V = 40;
const SIZES = { hiddenSize: 8, intermediateSize: 16, numLayers: 1, numHeads: 2, numKeyValueHeads: 2, headDim: 4 };
const config = baselm({ ...SIZES, vocabSize: V, maxPositions: 32, initializerRange: 0.4, tieEmbeddings: true });
// Documents of 8 tokens fill rows of 16 exactly, so that packing cuts none.
const documentsOf = (count: number, seed: number): number[][] =>
  Array.from({ length: count }, (_, d) => [
    ...Array.from({ length: 7 }, (_unused, i) => 1 + ((7 * d + 3 * i * i + seed) % (V - 1))),
    0,
  ]);
const NATURAL = documentsOf(14, 1);
const SYNTHETIC = documentsOf(8, 4);

let folder: string;
let model: Llama;
let original: Llama;
const lines: string[] = [];
const logger = { info: (line: string) => lines.push(line), warn: () => {}, error: () => {} } as unknown as Logger;

async function writeShards(name: string, documents: number[][], hasTargetsMask = false): Promise<string> {
  const path = join(folder, name);
  const writer = await ShardWriter.create(path, { vocabSize: V, tokenizerHash: 'x', eosId: 0, hasTargetsMask });
  for (const ids of documents)
    await writer.add(Int32Array.from(ids), hasTargetsMask ? new Uint8Array(ids.length) : undefined);
  await writer.finish();
  return path;
}

beforeAll(async () => {
  await useDevice('lethe-cpu');
  folder = mkdtempSync(join(tmpdir(), 'lethe-validator-'));
  [model, original] = [initializeLlama(config, 3), initializeLlama(config, 4)];
  await writeShards('natural', NATURAL);
  await writeShards('synthetic', SYNTHETIC);
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Changes {
  replay?: object[];
  forget?: object[];
  kept?: object[];
  rows?: number;
  batch?: object;
  stop?: TrainRecipe['stop'];
}

const shards = (name: string, proportion = 1): object => ({ shards: join(folder, name), proportion });

function recipeOf({
  replay = [shards('natural')],
  forget = [shards('synthetic')],
  kept,
  rows = 64,
  batch,
  stop,
}: Changes) {
  return {
    steps: 25,
    stop,
    data: { rowLength: 16, packing: 'best-fit' },
    batch: { replayRows: 2, forgetRows: 1, accumulate: 1, ...batch },
    validation: { replay, forget, kept, rows, every: 10 },
  } as unknown as TrainRecipe;
}

async function validatorOf(changes: Changes = {}, context: Partial<StepContext> = { original }): Promise<Validator> {
  const recipe = recipeOf(changes);
  const rows = (await openValidationRows(recipe, {}))!;
  const objective = { method: 'complement', weights: { forgetting: 9, replay: 9, mitigation: 9 }, reduction: 'sum' };
  const whole = { model, recompute: false, objective, ...context } as StepContext;
  return new Validator({ recipe, context: whole, rows, ranks: alone, logger });
}

/** Negative log-likelihoods of all targets, document by document. */
const nllOf = (documents: number[][], llama = model): number[] =>
  scoreSequences(llama, documents)
    .flat()
    .flatMap((logp) => (logp === null ? [] : [-logp]));
const mean = (values: number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

describe('a validation', () => {
  it('measures held-out documents as scoring them one by one does', async () => {
    const validator = await validatorOf();
    const record = (await validator.after(0))!;
    expect(record['replay']).toBeCloseTo(mean(nllOf(NATURAL)), 5);
    expect(record['perplexity']).toBeCloseTo(Math.exp(mean(nllOf(NATURAL))), 3);
    expect(record['forgetNll']).toBeCloseTo(mean(nllOf(SYNTHETIC)), 5);
    expect(record['forgetP']).toBeCloseTo(mean(nllOf(SYNTHETIC).map((nll) => Math.exp(-nll))), 6);
    expect(record['mitigation']).toBeGreaterThan(0.01);
    expect(record['seconds']).toBeGreaterThanOrEqual(0);
    expect(validator.history).toHaveLength(1);
  });

  it('tells the seconds it took', async () => {
    const clock = jest.spyOn(performance, 'now').mockReturnValueOnce(1000).mockReturnValueOnce(3500);
    const record = (await (await validatorOf({ forget: [] }, {})).after(0))!;
    clock.mockRestore();
    expect(record['seconds']).toBe(2.5);
  });

  it('has no KL without an original model, and 0 of a model and itself', async () => {
    const alone = (await (await validatorOf({}, {})).after(0))!;
    expect(Object.keys(alone)).toEqual(['replay', 'perplexity', 'forgetP', 'forgetNll', 'seconds']);
    const same = (await (await validatorOf({}, { original: model })).after(0))!;
    expect(Math.abs(same['mitigation']!)).toBeLessThan(1e-6);
  });

  it('leaves out the role that the recipe leaves out', async () => {
    const natural = (await (await validatorOf({ forget: [] }, {})).after(0))!;
    expect(Object.keys(natural)).toEqual(['replay', 'perplexity', 'seconds']);
    const synthetic = (await (await validatorOf({ replay: [] }, {})).after(0))!;
    expect(Object.keys(synthetic)).toEqual(['forgetP', 'forgetNll', 'seconds']);
  });

  it('measures what is to be kept beside the others, and leaves them as they are', async () => {
    const without = (await (await validatorOf()).after(0))!;
    const { keptP, keptNll, ...others } = (await (await validatorOf({ kept: [shards('synthetic')] })).after(0))!;
    expect(keptNll).toBeCloseTo(mean(nllOf(SYNTHETIC)), 5);
    expect(keptP).toBeCloseTo(mean(nllOf(SYNTHETIC).map((nll) => Math.exp(-nll))), 6);
    expect({ ...others, seconds: 0 }).toEqual({ ...without, seconds: 0 });
    const alone = (await (await validatorOf({ replay: [], forget: [], kept: [shards('natural')] })).after(0))!;
    expect(Object.keys(alone)).toEqual(['keptP', 'keptNll', 'seconds']);
  });

  it('happens at step 0, every tenth step and the last, and once at each', async () => {
    const validator = await validatorOf({ forget: [] }, {});
    const done: number[] = [];
    for (const step of [0, 0, 1, 9, 10, 10, 11, 20, 24, 25, 25]) if (await validator.after(step)) done.push(step);
    expect(done).toEqual([0, 10, 20, 25]);
    expect(validator.history.map(({ step }) => step)).toEqual(done);
  });

  it('tells a line, with the change since the start', async () => {
    lines.length = 0;
    const validator = await validatorOf({}, {});
    await validator.after(0);
    await validator.after(10);
    expect(lines[0]).toMatch(
      /^validation after step 0: {2}replay \d\.\d{4} \(perplexity \d+\.?\d*\) {2}forgetP 0\.\d+ {2}forgetNll \d\.\d{4}$/,
    );
    expect(lines[1]).toContain(', +0.0%)');
  });

  it('ends the run by a goal that is reached', async () => {
    const validator = await validatorOf({ stop: { forgetP: 0.999 } });
    expect(validator.decision).toBeUndefined();
    await validator.after(10);
    expect(validator.decision).toMatchObject({ rule: 'forgetP', step: 10, isLimit: false });
  });

  it('refuses a mean that is not a number, by name', async () => {
    const broken = initializeLlama(config, 3);
    broken.parameters[0]!.value.assign(tf.fill(broken.parameters[0]!.value.shape, NaN));
    const validator = await validatorOf({}, { model: broken });
    await expect(validator.after(10)).rejects.toThrow(
      /^validation after step 10: \w+ is NaN; held-out batch of forget: /,
    );
    broken.dispose();
  });
});

describe('the rows of a validation', () => {
  const counts = (batches: MicroBatch[]): number[][] =>
    batches.map(({ forget, replay }) => [forget?.numRows ?? 0, replay?.numRows ?? 0]);

  it('are forget rows, then replay rows, in batches no larger than training’s', async () => {
    const batches = counts((await openValidationRows(recipeOf({}), {}))!.batches);
    const [forget, replay] = [0, 1].map((role) => batches.reduce((sum, pair) => sum + pair[role]!, 0));
    expect([forget, replay]).toEqual([4, 7]);
    expect(batches.every(([f, r]) => (f === 0) !== (r === 0) && f! + r! <= 3)).toBe(true);
    expect(batches.findIndex(([f]) => f === 0)).toBe(Math.ceil(forget / 3));
  });

  it('are as many as asked for, shared by proportion, and at least one of each', async () => {
    const replay = [shards('natural', 2), shards('synthetic', 1)];
    const of = async (rows: number): Promise<number[]> =>
      counts(
        (await openValidationRows(recipeOf({ replay, forget: [], rows, batch: { replayRows: 9 } }), {}))!.batches,
      ).map(([, numRows]) => numRows!);
    expect(await of(6)).toEqual([4, 2]);
    expect(await of(1)).toEqual([1, 1]);
  });

  it('do not depend on the seed of a recipe, and are none without a validation', async () => {
    const ids = async (seed: number): Promise<number[]> => {
      const { batches } = (await openValidationRows({ ...recipeOf({}), seed }, {}))!;
      return batches.flatMap(({ forget, replay }) => [...(forget ?? replay!).ids]);
    };
    expect(await ids(1)).toEqual(await ids(2));
    expect(await openValidationRows({ ...recipeOf({}), validation: undefined }, {})).toBeUndefined();
  });

  it('need targets', async () => {
    await writeShards('untaught', NATURAL, true);
    const none = openValidationRows(recipeOf({ replay: [shards('untaught')] }), {});
    await expect(none).rejects.toThrow(
      'validation.replay: the rows have no targets; prepare shards with text or answers',
    );
  });
});
