import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Parameter, useDevice } from '@lethe/tensor';
import * as tf from '@tensorflow/tfjs-core';
import { baselm } from './config.js';
import { initializeLlama } from './initialize.js';
import { Llama } from './llama.js';
import { loadLlama, saveLlama } from './load-llama.js';
import { scoreSequences } from './score.js';

const folder = mkdtempSync(join(tmpdir(), 'lethe-load-'));
const shape = { hiddenSize: 32, intermediateSize: 48, numLayers: 2, numHeads: 4, numKeyValueHeads: 2, headDim: 8 };
const config = baselm({ vocabSize: 97, maxPositions: 16, ...shape });

afterAll(() => rmSync(folder, { recursive: true }));

describe('a frozen model under bf16', () => {
  it.each(['float32', 'float16', 'bfloat16'] as const)(
    'holds %s weights in bf16, and scores as in fp32',
    async (dtype) => {
      await useDevice('lethe-cpu');
      const made = initializeLlama(config, 3);
      const path = join(folder, dtype);
      await saveLlama(made, path, { dtype });
      const ids = [[5, 17, 88, 2, 40, 9]];
      const [truth] = scoreSequences(made, ids);
      await useDevice('lethe-cpu', 'bf16');
      const { model } = loadLlama(path, { trainable: false });
      const name = 'model.layers.0.mlp.up_proj.weight';
      const [expected, loaded] = [made.parameter(name).value, model.parameter(name).value].map((x) => x.dataSync());
      loaded.forEach((x, i) =>
        expect(Math.abs(x - expected[i])).toBeLessThanOrEqual(2 ** -7 * Math.abs(expected[i]) + 1e-6),
      );
      expect(
        Float32Array.from(loaded).every((x) => (new Uint32Array(Float32Array.of(x).buffer)[0] & 0xffff) === 0),
      ).toBe(true);
      const [scores] = scoreSequences(model, ids);
      scores.slice(1).forEach((score, t) => expect(score).toBeCloseTo(truth[t + 1]!, 1));
      made.dispose();
      model.dispose();
    },
  );
});

it('is saved in fp32 unless another format is asked for', async () => {
  await useDevice('lethe-cpu');
  const made = initializeLlama(config, 3);
  await saveLlama(made, join(folder, 'plain'));
  const { model } = loadLlama(join(folder, 'plain'), { trainable: false });
  for (const { name, value } of made.parameters)
    expect(model.parameter(name).value.dataSync()).toEqual(value.dataSync());
  model.dispose();
  made.dispose();
});

it('is refused with a bit of its weights flipped, and read where the caller has looked', async () => {
  await useDevice('lethe-cpu');
  const [made, path] = [initializeLlama(config, 3), join(folder, 'flipped')];
  await saveLlama(made, path);
  made.dispose();
  const file = join(path, 'model.safetensors');
  const bytes = readFileSync(file);
  bytes[bytes.length - 1] ^= 0x40;
  writeFileSync(file, bytes);
  expect(() => loadLlama(path)).toThrow(`${file}: was changed after it was written`);
  loadLlama(path, { isChecked: true }).model.dispose();
});

it('a model lacks no parameter, and has none of another shape', async () => {
  await useDevice('lethe-cpu');
  const { parameters } = initializeLlama(config, 3);
  const [first, ...others] = parameters;
  expect(() => new Llama(config, others)).toThrow(`expected ${first.name} of shape [97,32], received nothing`);
  const wrong = new Parameter(first.name, tf.zeros([97, 31]));
  expect(() => new Llama(config, [wrong, ...others])).toThrow('of shape [97,32], received [97,31]');
});
