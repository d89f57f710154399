import { installedDevices, useDevice } from '@lethe/tensor';
import { baselm } from './config.js';
import { documentPerplexities } from './document-perplexities.js';
import { initializeLlama } from './initialize.js';
import type { Llama } from './llama.js';
import { scoreSequences } from './score.js';

const V = 40;
const documents = [[1, 5, 9, 5, 30], [2, 3], Array.from({ length: 40 }, (_, i) => (7 * i) % V), [4, 4, 4]];

describe.each(installedDevices())('perplexities of documents on %s', (device) => {
  let model: Llama;
  beforeAll(async () => {
    await useDevice(device);
    const sizes = { hiddenSize: 16, intermediateSize: 32, numLayers: 2, numHeads: 2, numKeyValueHeads: 1, headDim: 8 };
    model = initializeLlama(baselm({ ...sizes, vocabSize: V, maxPositions: 24, initializerRange: 0.3 }), 5);
  });
  afterAll(() => model.dispose());

  const scores = (ids: number[]): number[] => scoreSequences(model, [ids])[0].slice(1) as number[];
  const cut = (ids: number[], length = 24): number[] => ids.slice(0, length);

  it('a document’s log-perplexity is its mean score, cut to the context', () => {
    const { logPerplexities, perplexity, numTokens } = documentPerplexities(model, documents);
    const expected = documents.map((ids) => scores(cut(ids)));
    expect(numTokens).toBe(4 + 1 + 23 + 2);
    logPerplexities.forEach((x, i) =>
      expect(x).toBeCloseTo(-expected[i].reduce((a, b) => a + b, 0) / expected[i].length, 4),
    );
    const all = expected.flat();
    expect(perplexity).toBeCloseTo(Math.exp(-all.reduce((a, b) => a + b, 0) / all.length), 2);
  });

  it('does not depend on batches; a shorter limit cuts further', () => {
    const one = documentPerplexities(model, documents, { batchTokens: 1 });
    const many = documentPerplexities(model, documents, { batchTokens: 4096 });
    one.logPerplexities.forEach((x, i) => expect(many.logPerplexities[i]).toBeCloseTo(x, 4));
    expect(documentPerplexities(model, documents, { maxLength: 3 }).numTokens).toBe(2 + 1 + 2 + 2);
  });

  it('refuses a document with nothing to predict', () => {
    expect(() => documentPerplexities(model, [[1, 2], [3]])).toThrow(/document 1: expected at least two tokens/);
  });
});
