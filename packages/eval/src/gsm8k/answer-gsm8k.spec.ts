import type { Tokenizer } from '@lethe/data-pipeline';
import { tinyModel } from '../engine/tiny-model.fixture.js';
import { answerGsm8k } from './answer-gsm8k.js';
import type { MathProtocol } from './gsm8k-protocol.js';

const tiny = tinyModel();
const place = { file: 'test.jsonl', line: 1 };
const problem = { question: 'a b', answer: '#### 2', gold: '2', place };
const shot = { question: 'a b c '.repeat(9), answer: 'b' };
const problems = { test: [problem], train: [{ ...problem, ...shot }], examples: [shot] };

const ask = async (protocol: MathProtocol, { numShots = 0, tokenizer = tiny.tokenizer } = {}) => {
  const settings = { protocol, numShots, maxNewTokens: 16 };
  const [item] = await answerGsm8k({ model: tiny.model, tokenizer }, problems, settings);
  return item;
};

/** The tokenizer, with another end of text than the one the model stops at. */
const ending = (eos: number | undefined): Tokenizer =>
  Object.create(tiny.tokenizer, { special: { value: { ...tiny.tokenizer.special, eos } } });

it('under lm-eval a text also ends where the model spells the end of text, as in the harness', async () => {
  const whole = (await ask('lm-eval')).texts![0];
  const [letter] = /[!-~]/.exec(whole.slice(1))!;
  const [eos] = await tiny.tokenizer.encode(letter, { addSpecialTokens: false });
  expect(await tiny.tokenizer.decode([eos])).toBe(letter);
  expect((await ask('lm-eval', { tokenizer: ending(eos) })).texts).toEqual([whole.slice(0, whole.indexOf(letter))]);
  expect((await ask('lm-eval', { tokenizer: ending(undefined) })).texts).toEqual([whole]);
  const other = (await ask('opencompass')).texts![0];
  const [foreign] = await tiny.tokenizer.encode(/[!-~]/.exec(other.slice(1))![0], { addSpecialTokens: false });
  expect((await ask('opencompass', { tokenizer: ending(foreign) })).texts).toEqual([other]);
});

it('a prompt longer than the context loses its start under lm-eval, and shots otherwise', async () => {
  expect((await ask('lm-eval', { numShots: 1 })).cut).toBe('start');
  expect((await ask('opencompass', { numShots: 1 })).cut).toBe('shots');
});
