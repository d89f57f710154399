import { readdirSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { disposeBatch, generate, type Llama, loadLlama, rowsOfSequences, toTokenBatch } from '@lethe/model';
import { installedDevices, noGrad, scope, useDevice } from '@lethe/tensor';
import { goldenPath, goldenTensors, relativeError } from './golden-files.js';

const MODELS = readdirSync(goldenPath('models'))
  .filter((name) => name.endsWith('.safetensors'))
  .map((name) => name.replace('.safetensors', ''));
const DYNAMIC = 'llama-dynamic-rope';

function logitsOf(model: Llama, sequences: number[][]): Float32Array {
  const batch = toTokenBatch(rowsOfSequences(sequences), model.config.slidingWindow);
  const logits = noGrad(() => scope(() => model.logits(model.hidden(batch))));
  const values = logits.dataSync() as Float32Array;
  tf.dispose(logits);
  disposeBatch(batch);
  return values;
}

const rowsOf = (ids: Int32Array, width: number): number[][] =>
  Array.from({ length: ids.length / width }, (_, r) => [...ids.subarray(r * width, (r + 1) * width)]);

describe.each(installedDevices())('tiny models against transformers on %s', (device) => {
  beforeAll(() => useDevice(device));

  it.each(MODELS.filter((name) => name !== DYNAMIC))('%s: logits within 1e-5, and 64 greedy tokens', (name) => {
    const tensors = goldenTensors(`models/${name}.safetensors`);
    const { model } = loadLlama(goldenPath(`models/${name}`), { trainable: false });
    const logits = logitsOf(model, rowsOf(tensors.readInt32('ids'), 16));
    expect(relativeError(logits, tensors.readFloat32('logits'))).toBeLessThanOrEqual(1e-5);
    const prompt = [...tensors.readInt32('prompt')];
    const greedy = [...tensors.readInt32('greedy')];
    expect(greedy.length - prompt.length).toBe(64);
    const [made] = generate(model, [prompt], { maxNewTokens: greedy.length - prompt.length });
    expect([...prompt, ...made]).toEqual(greedy);
    model.dispose();
  });

  it(`${DYNAMIC}: logits of sequences longer than the model's own within 1e-5`, () => {
    const tensors = goldenTensors(`models/${DYNAMIC}.safetensors`);
    const { model } = loadLlama(goldenPath(`models/${DYNAMIC}`), { trainable: false, numPositions: 24 });
    expect(model.config.maxPositions).toBe(16);
    const logits = logitsOf(model, rowsOf(tensors.readInt32('ids'), 24));
    expect(relativeError(logits, tensors.readFloat32('logits'))).toBeLessThanOrEqual(1e-5);
    model.dispose();
  });
});
