import type { Tokenizer } from '@lethe/data-pipeline';
import { generate, initializeLlama } from '@lethe/model';
import { useDevice } from '@lethe/tensor';
import * as tf from '@tensorflow/tfjs-core';
import { cutAtStop, GeneratedText } from './generated-text.js';
import { scoreContinuations } from './score-continuations.js';
import { generateTexts, type GenerationSettings, type TextResult } from './generate-texts.js';
import { tinyModel } from './tiny-model.fixture.js';

const tiny = tinyModel();

const PREFIX = Array.from({ length: 20 }, (_, i) => 100 + ((7 * i) % 90));
const prompts = Array.from({ length: 21 }, (_, p) => [
  ...PREFIX,
  ...Array.from({ length: 1 + (p % 5) }, (__, i) => 30 + ((p * 11 + i) % 200)),
]);
const plain: GenerationSettings = { maxNewTokens: 12, stopStrings: [], stopIds: [] };

async function texts(settings: GenerationSettings, some = prompts): Promise<TextResult[]> {
  const results: TextResult[] = [];
  const requests = some.map((prompt) => ({ prompt, stream: ['text', prompt.join()] }));
  await generateTexts(tiny, requests, settings, (i, result) => (results[i] = result));
  return results;
}

it('greedy texts are those of each prompt generated alone, without a shared prefix', async () => {
  const alone = await Promise.all(
    prompts.map(async (prompt) => {
      const [ids] = generate(tiny.model, [prompt], { maxNewTokens: 12 });
      return new GeneratedText(tiny.tokenizer, prompt).of(ids);
    }),
  );
  const together = await texts(plain);
  expect(together.map(({ text }) => text)).toEqual(alone);
  expect(together.every(({ isFinished }) => !isFinished)).toBe(true);
});

it('a sampled text depends on its stream and the seed, not on its company', async () => {
  const sampled = { ...plain, temperature: 1, seed: 7 };
  const all = await texts(sampled);
  expect(await texts(sampled, prompts.slice(3, 5))).toEqual(all.slice(3, 5));
  expect(await texts({ ...sampled, seed: 8 })).not.toEqual(all);
});

it('a text ends before a stop string, before a stop id, and where the context is full', async () => {
  const [whole] = await texts(plain, prompts.slice(0, 1));
  const stop = whole.text.slice(2, 4);
  expect(await texts({ ...plain, stopStrings: ['never', stop] }, prompts.slice(0, 1))).toEqual([
    { text: whole.text.slice(0, whole.text.indexOf(stop)), isFinished: true },
  ]);
  const [ids] = generate(tiny.model, [prompts[0]], { maxNewTokens: 12 });
  const stopped = await texts({ ...plain, stopIds: [ids[3]] }, prompts.slice(0, 1));
  const before = ids.slice(0, ids.indexOf(ids[3]));
  expect(stopped).toEqual([{ text: await new GeneratedText(tiny.tokenizer, prompts[0]).of(before), isFinished: true }]);
  const long = [...PREFIX, ...PREFIX, ...PREFIX, ...PREFIX];
  const [full] = await texts({ ...plain, maxNewTokens: 50 }, [long]);
  const [sixteen] = generate(tiny.model, [long], { maxNewTokens: 16 });
  expect(full).toEqual({ text: await new GeneratedText(tiny.tokenizer, long).of(sixteen), isFinished: false });
  await expect(texts(plain, [[...long, ...PREFIX]])).rejects.toThrow(/prompts of 1 to 95 tokens, received 100/);
});

it('cutAtStop cuts at the first of several', () => {
  expect(cutAtStop('ab\nclass\ndef', ['\ndef', '\nclass'])).toBe('ab');
  expect(cutAtStop('ab', ['\ndef'])).toBeUndefined();
});

it('keeps the indentation that a tokenizer drops at the start of what it decodes', async () => {
  const decode = (ids: ArrayLike<number>): Promise<string> =>
    Promise.resolve(
      Array.from(ids, (id) => ['x:', '    return', ' 1'][id])
        .join('')
        .trimStart(),
    );
  const dropping = { decode } as unknown as Tokenizer;
  expect(await new GeneratedText(dropping, [0]).of([1, 2])).toBe('    return 1');
});

it('a model that computes no numbers is refused by name, tensor and place; nothing is scored or written with it', async () => {
  const damaged = initializeLlama(tiny.model.config, 3);
  const broken = damaged.parameters.find(({ name }) => name.endsWith('down_proj.weight'))!;
  const values = Float32Array.from(broken.value.dataSync());
  values[5] = NaN;
  broken.value.assign(tf.tensor(values, broken.value.shape as [number, number]));
  const named = new RegExp(`forward pass over prompts: .*tensor '${broken.name}' holds NaN at element 5`);
  const request = { prompt: prompts[0]!, stream: ['text'] };
  await expect(generateTexts({ ...tiny, model: damaged }, [request], plain, () => {})).rejects.toThrow(named);
  const scored: number[] = [];
  const choice = { context: prompts[0]!, continuations: [[5], [6]] };
  expect(() => scoreContinuations(damaged, [choice], (i) => scored.push(i))).toThrow(named);
  expect(scored).toEqual([]);
  damaged.dispose();
});

it('nothing is asked where there are no prompts', async () => expect(await texts(plain, [])).toEqual([]));

it.each(['fp32', 'bf16'] as const)('scores in %s do not depend on how requests share passes', async (precision) => {
  await useDevice('lethe-cpu', precision);
  // Three passes a request, sixteen at once: the sixth request is scored by two groups.
  const requests = prompts.slice(0, 7).map((context, i) => ({
    context,
    continuations: [
      [5, i],
      [6, i, 7],
      [8, 9],
    ],
  }));
  const together: number[][] = [];
  const order: number[] = [];
  scoreContinuations(tiny.model, requests, (i, logprobs) => (order.push(i), (together[i] = logprobs)));
  expect(order).toEqual([0, 1, 2, 3, 4, 5, 6]);
  for (const [i, request] of requests.entries())
    scoreContinuations(tiny.model, [request], (_, alone) =>
      alone.forEach((logprob, c) =>
        expect(Math.abs(logprob / together[i][c] - 1)).toBeLessThan(precision === 'bf16' ? 0.02 : 1e-4),
      ),
    );
  await useDevice('lethe-cpu');
});
