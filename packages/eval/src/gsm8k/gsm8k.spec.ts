import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { statedAnswer } from './extract-number.js';
import { readGsm8k } from './gsm8k-files.js';
import { mathShots, MATH_STYLES } from './gsm8k-protocol.js';

const data = resolve(__dirname, '../../../..', process.env['LETHE_DATA'] ?? '../shared', 'benchmarks/gsm8k');
const folder = mkdtempSync(join(tmpdir(), 'lethe-gsm8k-'));
afterAll(() => rmSync(folder, { recursive: true }));
const problem = { question: 'Q?', answer: '1+1=<<1+1=2>>2\n#### 2', gold: '2', place: { file: 'f', line: 1 } };

const write = (name: string, ...rows: object[]): void =>
  writeFileSync(join(folder, name), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));

it('OpenCompass’s prompt shows training problems as it words them, or those of shots.jsonl', () => {
  const { prompt } = MATH_STYLES.opencompass;
  const row = { question: 'Two and 1,000?', answer: 'It is 2+1,000=<<2+1000=1002>>1,002.\n#### 1,002' };
  for (const name of ['test.jsonl', 'train.jsonl']) write(name, row, row);
  expect(prompt(problem, mathShots('opencompass', 1, readGsm8k(folder)))).toBe(
    "Question: Two and 1,000?\nLet's think step by step\nAnswer:\nIt is 2+1,000=1,002.\nThe answer is 1002\n\n" +
      "Question: Q?\nLet's think step by step\nAnswer:",
  );
  write('shots.jsonl', { question: 'S?', answer: 'Well.\nThe answer is 7' });
  const { examples } = readGsm8k(folder);
  expect(prompt(problem, examples)).toBe(
    "Question: S?\nLet's think step by step\nAnswer:\nWell.\nThe answer is 7\n\n" +
      "Question: Q?\nLet's think step by step\nAnswer:",
  );
  write('shots.jsonl', { question: 'S?', answer: 'The answer is 7' }, { question: 'S?', answer: '#### 7' });
  expect(() => readGsm8k(folder)).toThrow(/shots\.jsonl:2: expected an answer ending in "The answer is " and a number/);
  rmSync(join(folder, 'shots.jsonl'));
});

it('lm-eval’s prompt shows training problems with their calculations', () => {
  const { prompt, stopStrings, usual } = MATH_STYLES['lm-eval'];
  expect(
    prompt(
      { ...problem, question: 'R?' },
      mathShots('lm-eval', 2, { train: [problem, problem, problem], examples: [] }),
    ),
  ).toBe(
    'Question: Q?\nAnswer: 1+1=<<1+1=2>>2\n#### 2\n\nQuestion: Q?\nAnswer: 1+1=<<1+1=2>>2\n#### 2\n\nQuestion: R?\nAnswer:',
  );
  expect([stopStrings[0], usual]).toEqual(['Question:', 'strict']);
});

it('more shots than there are, and rows without a gold, are refused', () => {
  const none = { train: [], examples: [] };
  expect(() => mathShots('opencompass', 5, { ...none, examples: [problem] })).toThrow(
    /opencompass has 1 examples .* received 5/,
  );
  expect(() => mathShots('lm-eval', 1, none)).toThrow(/lm-eval has 0 examples/);
  writeFileSync(join(folder, 'test.jsonl'), '{"question":"q","answer":"#### 1"}\n{"question":"q","answer":"1"}\n');
  writeFileSync(join(folder, 'train.jsonl'), '');
  expect(() => readGsm8k(folder)).toThrow(/test\.jsonl:2: expected an answer ending in "#### " and a number/);
  writeFileSync(join(folder, 'test.jsonl'), '{"question":"q"}\n');
  expect(() => readGsm8k(folder)).toThrow(
    /test\.jsonl:1: not a row of GSM8K: answer: .*; correct the row, or remove it/,
  );
});

(existsSync(data) ? it : it.skip)(
  'the real files: 1,319 golds, 14 written with commas, 2 negative, all numbers',
  () => {
    const { test, train, examples } = readGsm8k(data);
    expect([test.length, train.length]).toEqual([1319, 7473]);
    for (const [i, { answer }] of examples.entries()) {
      expect(answer).not.toMatch(/<<|####/);
      expect(statedAnswer(answer)).toBe(train[i].gold);
    }
    const written = test.map(({ answer }) => answer.split('#### ')[1]);
    expect(written.filter((text) => text.includes(','))).toHaveLength(14);
    expect(test.filter(({ gold }) => gold.startsWith('-'))).toHaveLength(2);
    expect(test.filter(({ gold }) => gold === '' || Number.isNaN(Number(gold)))).toEqual([]);
    // Every gold text is read as right by both readings of lm-eval's.
    const { read, isRight } = MATH_STYLES['lm-eval'];
    for (const { answer, gold } of test) {
      expect(isRight(read.strict(answer)!, gold)).toBe(true);
      expect(isRight(read.flexible(answer)!, gold)).toBe(true);
    }
  },
);
