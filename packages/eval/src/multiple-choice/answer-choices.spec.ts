import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Tokenizer, trainTokenizer } from '@lethe/data-pipeline';
import { baselm, initializeLlama, type Llama, scoreSequences } from '@lethe/model';
import { useDevice } from '@lethe/tensor';
import { sealLine } from '@lethe/run';
import type { EvalItem } from '../items/eval-item.js';
import { answerChoices } from './answer-choices.js';
import { choiceContinuations, choicePrompt, type ChoiceProtocol } from './choice-prompt.js';
import type { ChoiceQuestion, ChoiceSubject } from './choice-question.js';

const folder = mkdtempSync(join(tmpdir(), 'lethe-choices-'));
afterAll(() => rmSync(folder, { recursive: true }));
const question = (text: string, answer: number): ChoiceQuestion => ({
  question: text,
  choices: ['one', 'two', 'three', 'four'],
  answer,
});
const subjectOf = (name: string, questions: ChoiceQuestion[]): ChoiceSubject => ({
  name,
  title: name,
  categories: [],
  shots: [question('shot', 1), question('another shot, which is longer', 2)],
  questions,
});
const subjects = [
  subjectOf(
    'a',
    [0, 1, 2, 3, 0, 1, 2].map((y, i) => question(`q${'x'.repeat(7 * i)}`, y)),
  ),
  subjectOf('b', [question('another question, longer than those', 3)]),
];
const SIZES = { hiddenSize: 16, intermediateSize: 32, numLayers: 2, numHeads: 2, numKeyValueHeads: 1, headDim: 8 };
const benchmark = 'mmlu' as const;
let tokenizer: Tokenizer;
const models: Llama[] = [];
function modelOf(maxPositions: number): Llama {
  const config = baselm({ ...SIZES, vocabSize: tokenizer.vocabSize, maxPositions, initializerRange: 0.5 });
  models.push(initializeLlama(config, 3));
  return models.at(-1)!;
}
beforeAll(async () => {
  await useDevice('lethe-cpu');
  // ` A` and ` B` are tokens of their own; ` C` and ` D` are a space and a letter.
  tokenizer = await trainTokenizer(['x A B A B A B A B'], { vocabSize: 264, folder });
});
afterAll(() => models.forEach((model) => model.dispose()));

/** The log-likelihood of a text's letter, from the whole text alone. */
async function logprobAlone(model: Llama, prompt: string, letter: string): Promise<number> {
  const [bos, whole] = [
    tokenizer.special.bos,
    await tokenizer.encode(`${prompt}${letter}`, { addSpecialTokens: false }),
  ];
  const start = await tokenizer.encode('', { addSpecialTokens: true });
  expect([[], [bos]]).toContainEqual([...start].slice(0, 1));
  const ids = [...(await tokenizer.encode(prompt, { addSpecialTokens: false }))];
  const [scores] = scoreSequences(model, [[...start.slice(0, 1), ...whole]]);
  return scores.slice(start.slice(0, 1).length + ids.length).reduce<number>((sum, x) => sum + x!, 0);
}

it.each<ChoiceProtocol>(['original', 'lm-eval'])(
  '%s: letters score as in their whole text, read alone',
  async (protocol) => {
    const model = modelOf(1024);
    const items = await answerChoices({ model, tokenizer }, subjects, { benchmark, protocol, numShots: 2 });
    expect(items.map(({ id }) => id)).toEqual([...[0, 1, 2, 3, 4, 5, 6].map((i) => `a/${i}`), 'b/0']);
    for (const [at, subject, i] of [
      [0, subjects[0], 0],
      [6, subjects[0], 6],
      [7, subjects[1], 0],
    ] as [number, ChoiceSubject, number][]) {
      const prompt = choicePrompt(subject, subject.questions[i], { benchmark, protocol, numShots: 2 });
      for (const [c, letter] of choiceContinuations(benchmark, protocol).entries())
        expect(items[at].logprobs![c]).toBeCloseTo(await logprobAlone(model, prompt, letter), 3);
    }
    for (const { logprobs, prediction, gold, score } of items) {
      expect(prediction).toBe('ABCD'[logprobs!.indexOf(Math.max(...logprobs!))]);
      expect(score).toBe(prediction === gold ? 1 : 0);
    }
  },
);

it('opencompass compares mean losses over whole texts, where those differ in length', async () => {
  const model = modelOf(1024);
  const [item] = await answerChoices({ model, tokenizer }, subjects, {
    benchmark,
    protocol: 'opencompass',
    numShots: 1,
  });
  const prompt = choicePrompt(subjects[0], subjects[0].questions[0], {
    benchmark,
    protocol: 'opencompass',
    numShots: 1,
  });
  const start = (await tokenizer.encode('', { addSpecialTokens: true })).slice(0, 1);
  const means = await Promise.all(
    [' A', ' B', ' C', ' D'].map(async (letter) => {
      const ids = [...start, ...(await tokenizer.encode(`${prompt}${letter}`, { addSpecialTokens: false }))];
      const [scores] = scoreSequences(model, [ids]);
      return { sum: scores.reduce<number>((sum, x) => sum + (x ?? 0), 0), length: ids.length };
    }),
  );
  expect(new Set(means.map(({ length }) => length)).size).toBe(2);
  means.forEach(({ sum }, c) => expect(item.logprobs![c] / sum).toBeCloseTo(1, 5));
  const ppl = means.map(({ sum, length }) => -sum / length);
  expect(item.prediction).toBe('ABCD'[ppl.indexOf(Math.min(...ppl))]);
});

it('shots that exceed the context are dropped from the last on; lm-eval cuts the start; both are marked', async () => {
  const model = modelOf(220);
  const ask = (protocol: ChoiceProtocol, one: Llama): Promise<EvalItem[]> =>
    answerChoices({ model: one, tokenizer }, subjects.slice(0, 1), { benchmark, protocol, numShots: 2 });
  const items = await ask('original', model);
  expect(items.map(({ cut }) => cut)).toEqual(Array.from({ length: 7 }, () => 'shots'));
  const alone = await answerChoices({ model, tokenizer }, subjects.slice(0, 1), {
    benchmark,
    protocol: 'original',
    numShots: 1,
  });
  expect(alone[0]).not.toHaveProperty('cut');
  items[0].logprobs!.forEach((x, c) => expect(x).toBeCloseTo(alone[0].logprobs![c], 4));
  const cutItems = await ask('lm-eval', model);
  expect(cutItems.map(({ cut }) => cut)).toEqual(Array.from({ length: 7 }, () => 'start'));
  // Each letter's text loses as many tokens at its start as that one needs: ` C` is a token longer than ` A`.
  const asked = { benchmark, protocol: 'lm-eval' as const, numShots: 2 };
  const prompt = choicePrompt(subjects[0], subjects[0].questions[0], asked);
  const { length } = await tokenizer.encode(prompt, { addSpecialTokens: false });
  const roomy = modelOf(1024); // of the same weights
  const lengths = new Set<number>();
  for (const [c, letter] of choiceContinuations(benchmark, 'lm-eval').entries()) {
    const whole = [...(await tokenizer.encode(`${prompt}${letter}`, { addSpecialTokens: false }))];
    const [scores] = scoreSequences(roomy, [whole.slice(-221)]);
    lengths.add(whole.length - length);
    const expected = scores.slice(length - whole.length).reduce<number>((sum, x) => sum + x!, 0);
    expect(cutItems[0].logprobs![c]).toBeCloseTo(expected, 3);
  }
  expect([...lengths].sort()).toEqual([1, 2]);
  expect((await ask('original', modelOf(64))).every(({ cut }) => cut === 'start')).toBe(true);
});

it('protocols of the same text share log-likelihoods', async () => {
  const model = modelOf(1024);
  const known = new Map<string, number[]>();
  const options = { benchmark, numShots: 0, known };
  const first = await answerChoices({ model, tokenizer }, subjects, { ...options, protocol: 'original' });
  expect(known.size).toBe(8);
  for (const [key, logprobs] of known) known.set(key, logprobs.toReversed());
  const second = await answerChoices({ model, tokenizer }, subjects, { ...options, protocol: 'original' });
  expect(second.map(({ logprobs }) => logprobs)).toEqual(first.map(({ logprobs }) => logprobs!.toReversed()));
});

it('more shots than there are are refused by subject', async () => {
  const asking = answerChoices({ model: modelOf(64), tokenizer }, subjects, {
    benchmark,
    protocol: 'original',
    numShots: 3,
  });
  await expect(asking).rejects.toThrow(/a: expected 3 shots .*found 2.*shots: 2/);
});

describe('kept items', () => {
  const file = join(folder, 'kept', 'items.jsonl');
  const answer = (header: Record<string, unknown>, onProgress?: (done: number) => void): Promise<EvalItem[]> =>
    answerChoices({ model: models[0], tokenizer }, subjects, {
      benchmark,
      protocol: 'original',
      numShots: 1,
      log: { file, header },
      onProgress,
    });

  it('go on after an interruption in the middle of a line, and end the same', async () => {
    const whole = await answer({ n: 1 });
    const lines = readFileSync(file, 'utf8').split('\n');
    expect(lines).toHaveLength(1 + 8 + 1);
    const [first, second] = lines.slice(1, 3);
    const [, seal] = /"crc":"([0-9a-f]{8})"/.exec(first)!;
    const json = second.replace(/,"crc":"[0-9a-f]{8}"/, '').replace('"score":', '"kept":true,"score":');
    const marked = sealLine(json, seal).line;
    writeFileSync(file, `${[lines[0], first, marked].join('\n')}\n${lines[3].slice(0, 20)}`);
    const progress: number[] = [];
    const again = await answer({ n: 1 }, (done) => progress.push(done));
    expect(progress).toEqual([2, 3, 4, 5, 6, 7, 8]);
    expect(again.filter((item) => 'kept' in item)).toHaveLength(1);
    expect(again.map(({ id, prediction }) => [id, prediction])).toEqual(
      whole.map(({ id, prediction }) => [id, prediction]),
    );
    expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(1 + 8 + 1);
  });

  it('of another evaluation, or damaged, are refused by file and line', async () => {
    await expect(answer({ n: 2 })).rejects.toThrow(/items\.jsonl:1: items of another evaluation; delete it/);
    writeFileSync(file, '{"n":1}\n{"id":"a/0"}\n');
    await expect(answer({ n: 1 })).rejects.toThrow(/items\.jsonl:2: not an item .*delete the file/);
    expect(existsSync(file)).toBe(true);
    writeFileSync(file, `{"n":1}\n${sealLine('{"score":1}', '').line}\n`);
    await expect(answer({ n: 1 })).rejects.toThrow(/items\.jsonl:2: not an item \(no id\)/);
    // A bit of a checksum's name: the line is no longer one that has a checksum.
    writeFileSync(file, `{"n":1}\n${sealLine('{"id":"a/0","score":1}', '').line.replace('crc', 'crg')}\n`);
    await expect(answer({ n: 1 })).rejects.toThrow(/items\.jsonl:2: not an item \(expected a checksum at its end\)/);
  });
});
