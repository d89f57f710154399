import { useDevice } from '@lethe/tensor';
import { baselm } from './config.js';
import { generate } from './generate.js';
import { initializeLlama } from './initialize.js';
import type { Llama } from './llama.js';

const SIZES = { hiddenSize: 16, intermediateSize: 32, numLayers: 2, numHeads: 2, numKeyValueHeads: 1, headDim: 8 };
let model: Llama;
beforeAll(async () => {
  await useDevice('lethe-cpu');
  model = initializeLlama(baselm({ ...SIZES, vocabSize: 40, maxPositions: 24, initializerRange: 0.5 }), 3);
});
afterAll(() => model.dispose());

const PROMPTS = [[1, 2, 3, 4, 5, 6, 7], [8], [9, 10, 11]];
const alone = (maxNewTokens: number, stopIds: number[] = []): number[][] =>
  PROMPTS.map((prompt) => generate(model, [prompt], { maxNewTokens, stopIds })[0]);

it('prompts of different lengths go on side by side as each does alone', () => {
  expect(generate(model, PROMPTS, { maxNewTokens: 12 })).toEqual(alone(12));
});

it('a sequence that has ended stays as it is while the others go on', () => {
  const stopIds = [alone(12)[1][3]];
  const expected = alone(12, stopIds);
  expect(expected[1].length).toBeLessThan(12);
  expect(Math.max(...expected.map(({ length }) => length))).toBeGreaterThan(expected[1].length);
  expect(generate(model, PROMPTS, { maxNewTokens: 12, stopIds })).toEqual(expected);
});

it.each([
  [[[1], []], 'prompt 1 is empty'],
  [[Array<number>(20).fill(1)], 'prompt 0 has 20 tokens, and with 5 new ones exceeds'],
  [[[1], [1, 40]], 'prompt 1 has id 40, expected ids in [0, 40)'],
  [[[-1]], 'prompt 0 has id -1'],
])('refuses %j', (prompts, message) => {
  expect(() => generate(model, prompts, { maxNewTokens: 5 })).toThrow(message);
});
