import type { ChatAnswer } from '../chat/answer-chats.js';
import { wilson } from '../interval.js';
import type { Judging } from '../judge/judge-answers.js';
import type { Evaluated } from './evaluated.js';
import { type AnsweredQuestion, type JudgedScoring, scoreJudged } from './judged-benchmark.js';

const answer = (id: string): ChatAnswer => ({ id, text: `answer ${id}` });
const ask = (id: string): AnsweredQuestion<string, boolean> => ({
  question: id,
  answer: answer(id),
  request: { messages: [{ role: 'user', content: id }], temperature: 0, maxTokens: 4 },
});
const ruled = (id: string, verdict: boolean): AnsweredQuestion<string, boolean> => ({
  question: id,
  answer: answer(id),
  verdict,
});
const WORDS: Record<string, boolean> = { yes: true, no: false };
const scoring: JudgedScoring<string, boolean, { right: number; all: number }> = {
  read: (text) => WORDS[text],
  score: (verdicts) => ({
    right: verdicts.filter(({ verdict }) => verdict).length,
    all: verdicts.filter(({ verdict }) => verdict !== undefined).length,
  }),
  noise: ({ right }) => ({ right }),
  rates: ({ right, all }) => ({ right: wilson(right, all) }),
  item: (question, verdict) => ({ prediction: String(verdict), score: verdict ? 1 : 0, group: question }),
};

/** An evaluation whose judge gives these replies to each question, in turn. */
function evaluatedBy(replies?: Record<string, string[]>): Evaluated {
  const judging: Judging | undefined = replies && {
    judge: {
      url: 'http://judge',
      model: 'j',
      ask: ({ messages: [{ content }] }) => Promise.resolve({ text: replies[content].shift()! }),
    },
    concurrency: 1,
    rejudge: Math.max(...Object.values(replies).map(({ length }) => length)) - 1,
  };
  return { judging: () => judging, overlaps: undefined, tokenizer: { chatTemplate: 'x' } } as unknown as Evaluated;
}

it('without a judge, rules decide and the rest is not scored', async () => {
  const found = await scoreJudged('B', [ruled('a', true), ask('b'), ruled('c', false)], scoring, evaluatedBy());
  expect(found.scores).toEqual({ right: 1, all: 2 });
  expect(found.items).toEqual([
    { id: 'a', group: 'a', prediction: 'true', score: 1, texts: ['answer a'] },
    { id: 'c', group: 'c', prediction: 'false', score: 0, texts: ['answer c'] },
  ]);
  expect(found.unscored).toEqual([{ id: 'b', text: 'answer b', reason: 'no judge' }]);
  expect(found.judge).toBeUndefined();
  expect(found.counts['not scored: they need a judge']).toBe(1);
});

it('the judge decides where no rule does; what it wrote is kept, readable or not; rules are never overruled', async () => {
  const replies = { b: ['yes', 'no'], c: ['hm', 'hm'], a: ['no', 'no'] };
  const answered = [ruled('a', true), ask('b'), ask('c')];
  const found = await scoreJudged('B', answered, scoring, evaluatedBy(replies));
  expect(found.scores).toEqual({ right: 2, all: 2 });
  expect(found.items.map(({ id, judgements }) => [id, judgements])).toEqual([
    ['a', undefined],
    ['b', ['yes', 'no']],
  ]);
  expect(found.unscored).toEqual([
    { id: 'c', text: 'answer c', reason: 'judgement could not be read', judgements: ['hm', 'hm'] },
  ]);
  expect(found.judge).toMatchObject({ model: 'j', numJudgements: 4 });
  // Round 0: a and b are right; round 1: a alone.
  expect(found.judge!.noise).toMatchObject({ rounds: 2, numUnsteady: 1, numItems: 1 });
  expect(found.judge!.noise!.scores).toEqual([{ name: 'right', values: [2, 1], sd: Math.SQRT1_2 }]);
});
