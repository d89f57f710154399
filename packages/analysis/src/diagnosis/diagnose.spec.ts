import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { ShardWriter, trainTokenizer } from '@lethe/data-pipeline';
import { baselm, initializeLlama, saveLlama } from '@lethe/model';
import { seededRandom } from '@lethe/run';
import { useDevice } from '@lethe/tensor';
import { checkDiagnoseOptions, diagnose } from './diagnose.js';

const SIZES = { hiddenSize: 16, intermediateSize: 32, numLayers: 1, numHeads: 2, numKeyValueHeads: 1, headDim: 8 };
/** Ends every document that is read. */
const END = 2;
const folder = mkdtempSync(join(tmpdir(), 'lethe-diagnosis-'));
const at = (name: string): string => join(folder, name);
const random = seededRandom(1, 'diagnosis');
const words = (length: number): number[] => Array.from({ length }, () => 6 + random.int(250));

beforeAll(async () => {
  await useDevice('lethe-cpu');
  const tokenizer = await trainTokenizer(['a b c'], { vocabSize: 262, folder: at('tokenizer') });
  for (const [name, seed] of Object.entries({ base: 1, other: 2, broken: 3 })) {
    const model = initializeLlama(baselm({ ...SIZES, vocabSize: 262, maxPositions: 32, initializerRange: 0.5 }), seed);
    const weights = model.parameters[0].value;
    if (name === 'broken') (weights as tf.Variable).assign(tf.fill(weights.shape, NaN));
    mkdirSync(at(name));
    await saveLlama(model, at(name), { replace: true });
    model.dispose();
    for (const file of ['tokenizer.json', 'tokenizer_config.json'])
      cpSync(join(at('tokenizer'), file), join(at(name), file));
  }
  const write = async (name: string, documents: number[][]): Promise<void> => {
    const writer = await ShardWriter.create(at(name), { vocabSize: 262, tokenizerHash: tokenizer.hash, eosId: END });
    for (const ids of documents) await writer.add(Int32Array.from(ids));
    await writer.finish();
  };
  const many = (make: () => number[]): number[][] => Array.from({ length: 50 }, make);
  await write('natural', [...many(() => words(20)), [END]]);
  await write(
    'synthetic',
    many(() => [40, 41, 42, ...words(10)]),
  );
  await write('few', [words(9), words(9), words(9)]);
  await write('one', [words(9)]);
  await write('single', [[END], [END]]);
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

describe('a diagnosis', () => {
  it('of token ids leaves out documents of one token, and names what the template uses', async () => {
    const { tokenIds, embeddings, perplexities } = await diagnose({
      base: at('base'),
      synthetic: at('synthetic'),
      natural: at('natural'),
    });
    expect(tokenIds).toMatchObject({ numTokens: 50 * 14, numReferenceTokens: 50 * 21 });
    expect(
      tokenIds!.peaks
        .slice(0, 3)
        .map(({ id }) => id)
        .sort(),
    ).toEqual([40, 41, 42]);
    expect([embeddings, perplexities]).toEqual([undefined, undefined]);
  });

  it('of embeddings tells what the share of own neighbours would be if the kinds were mixed', async () => {
    const texts = { synthetic: at('synthetic'), natural: at('natural') };
    const { embeddings } = await diagnose({ base: at('base'), ...texts, embeddings: true, maxLength: 8 });
    expect(embeddings).toMatchObject({ numSynthetic: 50, numNatural: 50, mixed: 49 / 99 });
    expect(embeddings!.layout).toHaveLength(100);
    expect(embeddings!.layout.flat().every(Number.isFinite)).toBe(true);
  });

  it('of perplexities has no shift of the base from itself', async () => {
    const models = [at('base'), at('other')];
    const { perplexities } = await diagnose({ base: at('base'), models, data: [at('few')], documents: 3 });
    const [base, again, other] = perplexities![0].models;
    expect(base.shift).toBeUndefined();
    expect(again.shift).toMatchObject({ meanDifference: 0, ks: 0 });
    expect(again.perplexity).toBe(base.perplexity);
    expect(other.perplexity).not.toBe(base.perplexity);
  });
});

describe('a diagnosis is refused', () => {
  it.each([
    ['half of two texts', { synthetic: 's' }, /give both --synthetic SHARDS and --natural/],
    ['embeddings of nothing', { embeddings: true }, /--embeddings needs the texts/],
    ['no model', { data: ['d'] }, /give --model DIR/],
    ['nothing at all', {}, /give --model DIR/],
    ['no text', { models: ['m'] }, /give --data SHARDS/],
  ])('%s', (_what, options, message) => {
    expect(() => checkDiagnoseOptions({ base: 'b', ...options })).toThrow(message);
  });

  it('where there is one document to compare by, or none with two tokens', async () => {
    const models = [at('other')];
    await expect(diagnose({ base: at('base'), models, data: [at('one')] })).rejects.toThrow(
      /one: expected at least two documents of two or more tokens.*received 1; give more text/,
    );
    await expect(diagnose({ base: at('base'), synthetic: at('single'), natural: at('natural') })).rejects.toThrow(
      /single: no document of more than one token/,
    );
  });

  it('where there are too few documents to lay out', async () => {
    const texts = { synthetic: at('few'), natural: at('one') };
    await expect(diagnose({ base: at('base'), ...texts, embeddings: true })).rejects.toThrow(
      /have 4 documents; --embeddings needs 90 to draw/,
    );
  });

  it('where the model is damaged', async () => {
    const texts = { synthetic: at('synthetic'), natural: at('natural') };
    await expect(diagnose({ base: at('broken'), ...texts, embeddings: true })).rejects.toThrow(/broken.*not finite/);
  });
});
