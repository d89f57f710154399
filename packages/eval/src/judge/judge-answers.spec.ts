import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '@lethe/run';
import type { ChatAnswer } from '../chat/answer-chats.js';
import { answerDetails, judged } from './judged-answers.js';
import { judgeAnswers, type ToJudge } from './judge-answers.js';
import { judgeNoise, standardDeviation } from './judge-noise.js';
import type { Judge, JudgeRequest } from './judge.js';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'lethe-judge-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const request = (content: string): JudgeRequest => ({
  messages: [{ role: 'user', content }],
  temperature: 0,
  maxTokens: 8,
});
const answers: ToJudge[] = ['a', 'b', 'c', 'd'].map((id) => ({ id, request: request(`answer ${id}`) }));

/** A judge that says what it was asked for the n-th time, and may fail. */
function countingJudge(
  fails: (content: string) => boolean = () => false,
): Judge & { asked: string[]; mostOpen: number } {
  let open = 0;
  const judge = {
    url: 'http://judge',
    model: 'A judge/1',
    asked: [] as string[],
    mostOpen: 0,
    ask: async ({ messages: [{ content }] }: JudgeRequest) => {
      judge.asked.push(content);
      const count = judge.asked.filter((one) => one === content).length;
      judge.mostOpen = Math.max(judge.mostOpen, ++open);
      await new Promise((resolve) => setTimeout(resolve, 5));
      open--;
      if (fails(content)) throw new Error('gone');
      return { text: `${content}: ${count}`, usage: { promptTokens: 10, completionTokens: 1 } };
    },
  };
  return judge;
}

it('judges each answer once and further times, so many at once, and adds up what it cost', async () => {
  const judge = countingJudge();
  const { texts, usage, numWithoutUsage } = await judgeAnswers(answers, { judge, concurrency: 2, rejudge: 2 });
  expect([...texts.keys()]).toEqual(['a', 'b', 'c', 'd']);
  expect([...texts.get('c')!].sort()).toEqual(['answer c: 1', 'answer c: 2', 'answer c: 3']);
  expect(usage).toEqual({ promptTokens: 120, completionTokens: 12 });
  expect(numWithoutUsage).toBe(0);
  expect(judge.mostOpen).toBe(2);
});

it('keeps each judgement as it comes: what failed or is new is asked, nothing else', async () => {
  const failing = countingJudge((content) => content === 'answer c');
  const settings = { concurrency: 1, rejudge: 0, folder };
  await expect(judgeAnswers(answers, { judge: failing, ...settings })).rejects.toThrow('gone');
  expect(failing.asked).toEqual(['answer a', 'answer b', 'answer c']);

  const judge = countingJudge();
  const progress: [number, number][] = [];
  const onProgress = (done: number, total: number): number => progress.push([done, total]);
  const { texts, usage } = await judgeAnswers(answers, { judge, ...settings, onProgress });
  expect(judge.asked).toEqual(['answer c', 'answer d']);
  expect(texts.get('a')).toEqual(['answer a: 1']);
  expect(usage.promptTokens).toBe(40);
  expect(progress).toEqual([
    [2, 4],
    [3, 4],
    [4, 4],
  ]);

  await judgeAnswers(answers, { judge, ...settings, rejudge: 1 });
  expect(judge.asked.slice(2)).toEqual(['answer a', 'answer b', 'answer c', 'answer d']);
  await judgeAnswers([...answers, { id: 'e', request: request('changed') }], { judge, ...settings });
  expect(judge.asked.slice(6)).toEqual(['changed']);
});

it('goes on after a line that was cut off, and never mixes judges or limits', async () => {
  const judge = countingJudge();
  const settings = { concurrency: 1, rejudge: 0, folder };
  await judgeAnswers(answers, { judge, ...settings });
  const [name] = readdirSync(folder);
  expect(name).toMatch(/^judgements-a-judge-1-[0-9a-f]{12}\.jsonl$/);
  const file = join(folder, name);
  writeFileSync(file, readFileSync(file, 'utf8').slice(0, -20));
  await judgeAnswers(answers, { judge, ...settings });
  expect(judge.asked.slice(4)).toEqual(['answer d']);

  const longer = answers.map(({ id, request: one }) => ({ id, request: { ...one, maxTokens: 9 } }));
  await judgeAnswers(longer, { judge, ...settings });
  expect(judge.asked).toHaveLength(9);
  const other = { ...countingJudge(), model: 'B' };
  await judgeAnswers(answers, { judge: other, ...settings });
  expect(other.asked).toHaveLength(4);
});

it('answers that are the same to the judge are asked once', async () => {
  const judge = countingJudge();
  const twins = [answers[0], { ...answers[0], id: 'twin' }];
  const { texts } = await judgeAnswers(twins, { judge, concurrency: 4, rejudge: 0 });
  expect(judge.asked).toHaveLength(1);
  expect(texts.get('twin')).toEqual(texts.get('a'));
});

it('noise is the spread of scores, and the items whose verdicts differ', () => {
  const verdicts = [
    ['1', '1'],
    ['1', '2'],
    ['2', undefined],
    ['3', '3'],
  ];
  const noise = judgeNoise(verdicts, 2, (round) => ({ rating: round === 0 ? 5 : 6 }));
  expect(noise).toEqual({
    rounds: 2,
    scores: [{ name: 'rating', values: [5, 6], sd: Math.SQRT1_2 }],
    numUnsteady: 1,
    numItems: 3,
  });
  expect(standardDeviation([1])).toBeNaN();
});

it('a judge that cannot be had ends it: with what is kept, where something is', async () => {
  const broken: Judge = { ...countingJudge(), ask: () => Promise.reject(new UserError('no judge')) };
  const ask = (judge: Judge, kept?: string) =>
    judged(answers, { judge, concurrency: 1, rejudge: 0, folder: kept }, (_id, text) => text);
  await expect(ask(broken)).rejects.toThrow(/^no judge$/);
  await expect(ask(broken, folder)).rejects.toThrow(
    /no judge\n0 judgements and all answers are kept: the same command/,
  );
  await expect(ask({ ...broken, ask: () => Promise.reject(new Error('a defect')) }, folder)).rejects.toThrow(
    /^a defect$/,
  );
});

it('a judge whose name has no letters has a file all the same', async () => {
  await judgeAnswers(answers, { judge: { ...countingJudge(), model: '***' }, concurrency: 1, rejudge: 0, folder });
  expect(readdirSync(folder)).toEqual([expect.stringMatching(/^judgements-judge-[0-9a-f]{12}\.jsonl$/)]);
});

it('results keep how an answer was cut, and that it is unfinished', () => {
  const answer = { id: 'a', text: 't' } as ChatAnswer;
  expect(answerDetails(answer)).toEqual({});
  const place = { file: 'f', line: 3 };
  expect(answerDetails({ ...answer, cut: 'start', isUnfinished: true, place })).toEqual({
    cut: 'start',
    numUnfinished: 1,
    place,
  });
});
