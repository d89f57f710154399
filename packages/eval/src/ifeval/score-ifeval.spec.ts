import type { EvalItem } from '../items/eval-item.js';
import { judgeIfeval } from './answer-ifeval.js';
import { scoreIfeval } from './score-ifeval.js';

const tools = { sentences: () => [], language: () => 'en' };
const comma = { id: 'punctuation:no_comma' } as const;
const quotation = { id: 'startend:quotation' } as const;
const item = (id: string, instructions: Parameters<typeof judgeIfeval>[0], text: string): EvalItem => ({
  id,
  ...judgeIfeval(instructions, text, tools),
  texts: [text],
});

it('an item is right where every instruction is followed as it stands', () => {
  expect(judgeIfeval([comma, quotation], '"a"', tools)).toEqual({
    gold: 'punctuation:no_comma startend:quotation',
    prediction: 'punctuation:no_comma startend:quotation',
    score: 1,
    verdicts: ['followed', 'followed'],
  });
  expect(judgeIfeval([comma, quotation], 'a', tools)).toMatchObject({ prediction: 'punctuation:no_comma', score: 0 });
});

it('accuracies are by prompt and by instruction, strict and loose, and by kind', () => {
  const items = [
    item('1', [comma, quotation], '"a"'),
    item('2', [comma, quotation], 'Sure, here:\n"a"'),
    item('3', [comma], 'a, b'),
    item('4', [quotation, quotation], ' '),
  ];
  const { strict, loose, byInstruction, numEmpty, format } = scoreIfeval(items, 'plain');
  expect([strict.prompt.value, loose.prompt.value]).toEqual([1 / 4, 2 / 4]);
  expect([strict.instruction.value, loose.instruction.value]).toEqual([2 / 7, 4 / 7]);
  expect([strict.prompt.n, strict.instruction.n]).toEqual([4, 7]);
  expect(strict.instruction.low).toBeLessThan(2 / 7);
  expect(strict.instruction.high).toBeGreaterThan(2 / 7);
  expect(byInstruction.map((one) => [one.instruction, one.strict.value, one.loose.value, one.strict.n])).toEqual([
    ['punctuation:no_comma', 1 / 3, 2 / 3, 3],
    ['startend:quotation', 1 / 4, 2 / 4, 4],
  ]);
  expect([numEmpty, format]).toEqual([1, 'plain']);
});
