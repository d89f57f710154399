import type { PromptEncoder } from '../engine/prompt-encoder.js';
import type { ChoiceQuestion } from './choice-question.js';
import { encodeChoices } from './encode-choices.js';

const question: ChoiceQuestion = { question: 'q', choices: ['1', '2', '3', '4'], answer: 0 };
const subject = { name: 's', title: 's', categories: [], shots: [], questions: [question] };
const encoderOf = (idsOf: (text: string) => number[]): PromptEncoder =>
  ({ encode: (texts: string[]) => Promise.resolve(texts.map(idsOf)) }) as unknown as PromptEncoder;
const characters = (text: string): number[] => Array.from(text, (one) => one.codePointAt(0)!);
const encode = (encoder: PromptEncoder, context: number): ReturnType<typeof encodeChoices> =>
  encodeChoices(encoder, { subject, question }, { benchmark: 'mmlu', protocol: 'lm-eval', numShots: 0, context });

it.each<[string, (text: string) => number[]]>([
  ['one id for everything', () => [1]],
  ['the same id for every letter', (text) => characters(text.replace(/ [A-D]$/, ' X'))],
  ['no id for a letter', (text) => characters(text.replace(/ [AB]$/, ''))],
])('a tokenizer with %s cannot be asked', async (_what, idsOf) => {
  await expect(encode(encoderOf(idsOf), 1000)).rejects.toThrow(/does not tell the letters A, B, C and D apart/);
});

it('letters of one length are cut alike, and those of several each by as much as it needs', async () => {
  const alike = await encode(encoderOf(characters), 40);
  expect([alike.context.length, alike.contexts, alike.cut]).toEqual([39, undefined, 'start']);
  const longer = await encode(
    encoderOf((text) => characters(text.replace(/ D$/, ' DDDD'))),
    40,
  );
  expect(longer.contexts!.map(({ length }) => length)).toEqual([39, 39, 39, 36]);
});
