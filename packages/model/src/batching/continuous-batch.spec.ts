import * as tf from '@tensorflow/tfjs-core';
import { installedDevices, useDevice } from '@lethe/tensor';
import { baselm } from '../config.js';
import { generate } from '../generate.js';
import { initializeLlama } from '../initialize.js';
import type { Llama } from '../llama.js';
import { scoreSequences } from '../score.js';
import type { SequenceEvent, SequenceRequest } from './batch-sequence.js';
import { ContinuousBatch } from './continuous-batch.js';

const V = 60;
const SIZES = { hiddenSize: 16, intermediateSize: 32, numLayers: 2, numHeads: 4, numKeyValueHeads: 2, headDim: 4 };
const request = (prompt: number[], more: Partial<SequenceRequest> = {}): SequenceRequest => ({
  prompt,
  maxNewTokens: 20,
  stopIds: [],
  sampling: {},
  seed: 1,
  choice: 0,
  ...more,
});
const PROMPTS = [3, 1, 70, 12, 5, 9, 33, 2].map((length, p) =>
  Array.from({ length }, (_, i) => (7 * p + 3 * i * i + 1) % V),
);

/** Runs a batch to its end; `before` is called ahead of every step. */
function run(batch: ContinuousBatch, before: (step: number) => void = () => {}): Map<number, SequenceEvent[]> {
  const found = new Map<number, SequenceEvent[]>();
  for (let step = 0; step < 1000; step++) {
    before(step);
    if (batch.isIdle) break;
    for (const { id, event } of batch.step()) found.set(id, [...(found.get(id) ?? []), event]);
  }
  return found;
}
function addTo(batch: ContinuousBatch, one: SequenceRequest, id = 0): ContinuousBatch {
  batch.add(one, id);
  return batch;
}
const tokensOf = (events: SequenceEvent[] = []): number[] =>
  events.flatMap((event) => (event.kind === 'token' ? [event.token] : []));

/** The same, but for rounding, which on some processors depends on the number of rows side by side. */
const nearly = (value: unknown): unknown => {
  if (typeof value === 'number') return expect.closeTo(value, 5);
  if (Array.isArray(value)) return value.map(nearly);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, of]) => [key, nearly(of)]));
};

describe.each(installedDevices())('continuous batching on %s', (device) => {
  let model: Llama;
  beforeAll(async () => {
    await useDevice(device);
    const window = { slidingWindow: 24, fullLayers: [1] };
    model = initializeLlama(baselm({ ...SIZES, ...window, vocabSize: V, maxPositions: 128, initializerRange: 0.4 }), 4);
  });
  afterAll(() => model.dispose());

  it('prompts that begin alike give what each gives alone, and read only what differs', () => {
    const start = Array.from({ length: 40 }, (_, i) => (3 * i * i + 1) % V);
    const requests = [
      request([...start, 5, 6]),
      request([...start, 5, 9, 2], { seed: 2, sampling: { temperature: 1 } }),
      request([...start, 7], { maxNewTokens: 0, scoresPrompt: true, numTop: 3 }),
      request([...start, 8, 1], { maxNewTokens: 2, scoresPrompt: true, numTop: 2 }),
      request([...start, 8, 1], { maxNewTokens: 0, scoresPrompt: true, numTop: 4 }),
      request(start),
      request(start.slice(0, 10)),
    ];
    const alone = requests.map((one) => run(addTo(new ContinuousBatch(model, { maxSequences: 1 }), one)).get(0)!);
    const numTensors = tf.memory().numTensors;
    const batch = new ContinuousBatch(model, { maxSequences: 1, keptPrefixes: 3 });
    const shared = requests.map((one, id) => run(addTo(batch, one, id)).get(id)!);
    const isOwn = ({ kind }: SequenceEvent): boolean => kind !== 'shared';
    expect(shared.map((events) => events.filter(isOwn))).toEqual(nearly(alone));
    const numShared = shared.map(([first]) => (first.kind === 'shared' ? first.numTokens : 0));
    expect(numShared).toEqual([0, 41, 0, 39, 0, 39, 0]);
    batch.dispose();
    expect(tf.memory().numTensors).toBe(numTensors);
  });

  it('sequences of different lengths, joining at different steps, give what each gives alone', () => {
    const alone = PROMPTS.map((prompt) => generate(model, [prompt], { maxNewTokens: 20 })[0]);
    const batch = new ContinuousBatch(model, { maxSequences: 3, promptTokensPerStep: 16 });
    const found = run(batch, (step) => {
      if (step % 2 === 0 && step / 2 < PROMPTS.length) batch.add(request(PROMPTS[step / 2]), step / 2);
      expect(batch.numRunning).toBeLessThanOrEqual(3);
    });
    expect(PROMPTS.map((_, p) => tokensOf(found.get(p)))).toEqual(alone);
    expect([...found.values()].map((events) => events.at(-1))).toEqual(
      PROMPTS.map(() => ({ kind: 'end', reason: 'length' })),
    );
  });

  it('samples by seed and choice, whatever else runs', () => {
    const sampled = (choice: number): SequenceRequest =>
      request(PROMPTS[0], { sampling: { temperature: 1.2, topP: 0.95 }, choice });
    const together = new ContinuousBatch(model, { maxSequences: 8 });
    PROMPTS.forEach((prompt) => together.add(request(prompt)));
    const ids = [0, 1].map((choice) => together.add(sampled(choice)));
    const found = run(together);
    const alone = [0, 1].map((choice) => {
      const batch = new ContinuousBatch(model, { maxSequences: 1 });
      const id = batch.add(sampled(choice));
      return tokensOf(run(batch).get(id));
    });
    expect(ids.map((id) => tokensOf(found.get(id)))).toEqual(alone);
    expect(alone[0]).not.toEqual(alone[1]);
  });

  it.each([0, 2])('scores prompts as scoreSequences does, with %d new tokens', (maxNewTokens) => {
    const batch = new ContinuousBatch(model, { maxSequences: 4, promptTokensPerStep: 16 });
    const more = { maxNewTokens, scoresPrompt: true, numTop: 2 };
    const ids = PROMPTS.map((prompt) => batch.add(request(prompt, more)));
    const found = run(batch);
    const expected = scoreSequences(model, PROMPTS);
    ids.forEach((id, p) => {
      const [first, ...rest] = found.get(id)!;
      if (first.kind !== 'prompt') throw new Error(`expected the prompt's scores first, received ${first.kind}`);
      expect(first.logprobs[0]).toBeNull();
      expected[p].slice(1).forEach((logprob, t) => expect(first.logprobs[t + 1]!.logprob).toBeCloseTo(logprob!, 4));
      for (const scored of first.logprobs.slice(1)) {
        expect(scored!.top[0].logprob).toBeGreaterThanOrEqual(scored!.top[1].logprob);
        expect(scored!.top[0].logprob).toBeGreaterThanOrEqual(scored!.logprob);
      }
      expect(tokensOf(rest)).toHaveLength(maxNewTokens);
    });
  });

  it('reports the stop token and ends; a greedy token is the likeliest', () => {
    const [first, second, third] = generate(model, [PROMPTS[3]], { maxNewTokens: 3 })[0];
    const batch = new ContinuousBatch(model, { maxSequences: 1 });
    const id = batch.add(request(PROMPTS[3], { stopIds: [third], numTop: 1 }));
    const events = run(batch).get(id)!;
    const stopAt = [first, second, third].indexOf(third);
    expect(tokensOf(events)).toEqual([first, second, third].slice(0, stopAt + 1));
    expect(events.at(-1)).toEqual({ kind: 'end', reason: 'stop' });
    for (const event of events) {
      if (event.kind === 'token')
        expect(event.logprob!.top[0]).toEqual({ id: event.token, logprob: event.logprob!.logprob });
    }
  });
});

describe('ContinuousBatch', () => {
  let model: Llama;
  beforeAll(async () => {
    await useDevice('lethe-cpu');
    model = initializeLlama(baselm({ ...SIZES, vocabSize: V, maxPositions: 64 }), 4);
  });

  it('a cancelled sequence leaves its place to the next one and takes no memory', () => {
    const batch = new ContinuousBatch(model, { maxSequences: 1 });
    const [first, second] = [batch.add(request([1, 2])), batch.add(request([3, 4], { maxNewTokens: 2 }))];
    expect(batch.step()).toHaveLength(1);
    batch.cancel(first);
    const found = run(batch);
    expect([tokensOf(found.get(first)).length, tokensOf(found.get(second)).length]).toEqual([0, 2]);
    expect(batch.numRunning).toBe(0);
  });

  it('a weight that is not a number fails the sequence, with the reason', () => {
    const broken = initializeLlama(baselm({ ...SIZES, vocabSize: V, maxPositions: 64 }), 4);
    const norm = broken.parameter('model.norm.weight');
    norm.value.assign(tf.fill(norm.value.shape, NaN));
    const batch = new ContinuousBatch(broken, { maxSequences: 1 });
    const id = batch.add(request([1, 2]));
    expect(run(batch).get(id)).toEqual([{ kind: 'failure', message: expect.stringContaining('NaN') as string }]);
    broken.dispose();
  });

  it.each([
    [[], 1, /prompt is empty/],
    [[1, V], 1, /id 60, expected ids in \[0, 60\)/],
    [Array.from({ length: 60 }, () => 1), 5, /60 tokens, and with 5 new ones exceeds the model's context of 64/],
  ])('refuses what it cannot run', (prompt, maxNewTokens, message) => {
    const batch = new ContinuousBatch(model, { maxSequences: 1 });
    expect(() => batch.add(request(prompt, { maxNewTokens }))).toThrow(message);
  });
});
