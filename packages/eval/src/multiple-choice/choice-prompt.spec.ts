import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type ChoiceBenchmark, readChoiceFolder } from './choice-benchmark.js';
import { choiceContinuations, choicePrompt, type ChoiceProtocol } from './choice-prompt.js';
import type { ChoiceQuestion, ChoiceSubject } from './choice-question.js';

const benchmarks = resolve(__dirname, '../../../..', process.env['LETHE_DATA'] ?? '../shared', 'benchmarks');
const whenThere = (name: string): typeof it => (existsSync(join(benchmarks, name)) ? it : it.skip);
const question = (text: string, answer: number): ChoiceQuestion => ({
  question: text,
  choices: ['w', 'x', 'y', 'z'],
  answer,
});
const CHOICES = 'A. w\nB. x\nC. y\nD. z\n';

/** What stands before the letter, and what is scored after it. */
const CASES: [ChoiceBenchmark, ChoiceProtocol, string, string, string][] = [
  [
    'mmlu',
    'original',
    'high school physics',
    `The following are multiple choice questions (with answers) about  high school physics.\n\nS \n${CHOICES}Answer: C\n\n Q\n${CHOICES}Answer:`,
    ' A',
  ],
  [
    'mmlu',
    'lm-eval',
    'high school physics',
    `The following are multiple choice questions (with answers) about high school physics.\n\nS\n${CHOICES}Answer: C\n\nQ\n${CHOICES}Answer:`,
    ' A',
  ],
  [
    'mmlu',
    'opencompass',
    'high school physics',
    `The following are multiple choice questions (with answers) about  high school physics.\n\nS \n${CHOICES}Answer: C\n\n Q\n${CHOICES}Answer:`,
    ' A',
  ],
  [
    'cmmlu',
    'original',
    '农学',
    `以下是关于农学的单项选择题，请直接给出正确答案的选项。\n\n题目：S \n${CHOICES}答案是：C\n\n题目： Q\n${CHOICES}答案是：`,
    'A',
  ],
  [
    'cmmlu',
    'lm-eval',
    '农学',
    `以下是关于农学的单项选择题，请直接给出正确答案的选项。\n\nS\n${CHOICES}答案： C\n\nQ\n${CHOICES}答案：`,
    ' A',
  ],
  [
    'cmmlu',
    'opencompass',
    '农学',
    `以下是关于农学的单项选择题，请直接给出正确答案的选项。\n题目：S \n${CHOICES}答案是: C\n以下是关于农学的单项选择题，请直接给出正确答案的选项。\n题目： Q\n${CHOICES}答案是:`,
    ' A',
  ],
  [
    'ceval',
    'original',
    '注册会计师',
    `以下是中国关于注册会计师考试的单项选择题，请选出其中的正确答案。\n\nS \n${CHOICES}答案：C\n\n Q\n${CHOICES}答案：`,
    'A',
  ],
  [
    'ceval',
    'lm-eval',
    '注册会计师',
    `以下是中国关于注册会计师的单项选择题，请选出其中的正确答案。\n\nS\n${CHOICES}答案： C\n\nQ\n${CHOICES}答案：`,
    ' A',
  ],
  [
    'ceval',
    'opencompass',
    '注册会计师',
    `以下是中国关于注册会计师考试的单项选择题，请选出其中的正确答案。\nS \n${CHOICES}答案: \nC\n以下是中国关于注册会计师考试的单项选择题，请选出其中的正确答案。\n Q\n${CHOICES}答案: `,
    '\nA',
  ],
];

it.each(CASES)('%s under %s is written byte for byte', (benchmark, protocol, title, prompt, first) => {
  const subject = { title, shots: [question('S ', 2), question('never shown', 0)] };
  expect(choicePrompt(subject, question(' Q', 0), { benchmark, protocol, numShots: 1 })).toBe(prompt);
  expect(choiceContinuations(benchmark, protocol)).toEqual(['A', 'B', 'C', 'D'].map((x) => first.replace('A', x)));
});

describe('five shots of real files', () => {
  const promptOf = (benchmark: ChoiceBenchmark, name: string, protocol: ChoiceProtocol = 'original'): string => {
    const subjects = readChoiceFolder(join(benchmarks, benchmark), benchmark);
    const subject: ChoiceSubject = subjects.find((one) => one.name === name)!;
    return choicePrompt(subject, subject.questions[0], { benchmark, protocol, numShots: 5 });
  };

  whenThere('mmlu')('MMLU', () => {
    const prompt = promptOf('mmlu', 'abstract_algebra');
    expect(
      prompt.startsWith('The following are multiple choice questions (with answers) about  abstract algebra.\n\n'),
    ).toBe(true);
    expect(prompt).toContain(
      'Find all c in Z_3 such that Z_3[x]/(x^2 + c) is a field.\nA. 0\nB. 1\nC. 2\nD. 3\nAnswer: B\n\n',
    );
    expect(prompt.match(/\nAnswer: [ABCD]\n\n/g)).toHaveLength(5);
    expect(prompt.endsWith('\nA. 0\nB. 4\nC. 2\nD. 6\nAnswer:')).toBe(true);
  });

  whenThere('cmmlu')('CMMLU', () => {
    const prompt = promptOf('cmmlu', 'agronomy');
    expect(prompt).toContain(
      '题目：肉牛屠宰后，胴体的哪个部位肉质较好\nA. 胸\nB. 腹\nC. 大腿\nD. 小腿\n答案是：C\n\n题目：',
    );
    expect(prompt.match(/\n答案是：[ABCD]\n\n/g)).toHaveLength(5);
  });

  whenThere('ceval')('C-Eval, without the explanations of its shots', () => {
    const prompt = promptOf('ceval', 'accountant', 'opencompass');
    expect(prompt.match(/\n答案: \n[ABCD]\n/g)).toHaveLength(5);
    expect(prompt.match(/以下是中国关于注册会计师考试的单项选择题，请选出其中的正确答案。\n/g)).toHaveLength(6);
    expect(prompt).not.toContain('全新的子公司');
    expect(prompt.endsWith('\nD. 税务机关按法定程序依法征税，可以自由做出减征、停征或免征税款的决定\n答案: ')).toBe(
      true,
    );
  });
});
