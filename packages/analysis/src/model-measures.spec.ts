import * as tf from '@tensorflow/tfjs-core';
import { baselm, initializeLlama, type Llama, scoreSequences } from '@lethe/model';
import { installedDevices, useDevice } from '@lethe/tensor';
import { documentEmbeddings } from './embeddings.js';

const V = 40;
const documents = [[1, 5, 9, 5, 30], [2, 3], Array.from({ length: 40 }, (_, i) => (7 * i) % V), [4, 4, 4]];

describe.each(installedDevices())('measures of a model on %s', (device) => {
  let model: Llama;
  beforeAll(async () => {
    await useDevice(device);
    const sizes = { hiddenSize: 16, intermediateSize: 32, numLayers: 2, numHeads: 2, numKeyValueHeads: 1, headDim: 8 };
    model = initializeLlama(baselm({ ...sizes, vocabSize: V, maxPositions: 24, initializerRange: 0.3 }), 5);
  });
  afterAll(() => model.dispose());

  const scores = (ids: number[]): number[] => scoreSequences(model, [ids])[0].slice(1) as number[];
  const cut = (ids: number[], length = 24): number[] => ids.slice(0, length);

  it('an embedding is the mean of a document’s states, whatever is beside it', () => {
    const all = documentEmbeddings(model, documents);
    expect([all.count, all.values.length]).toEqual([4, 4 * 16]);
    documents.forEach((ids, i) => {
      const alone = documentEmbeddings(model, [cut(ids)]).values;
      alone.forEach((x, d) => expect(all.values[16 * i + d]).toBeCloseTo(x, 4));
    });
    // What the head makes of a single token's state is what scores the next token.
    const state = documentEmbeddings(model, [[2]]).values;
    const logits = tf.tidy(() => model.logits(tf.tensor2d(state, [1, 16])).dataSync() as Float32Array);
    const total = Math.log(logits.reduce((sum, x) => sum + Math.exp(x), 0));
    expect(logits[3] - total).toBeCloseTo(scores([2, 3])[0], 4);
  });
});
