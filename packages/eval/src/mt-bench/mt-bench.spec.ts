import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { mtTemperature } from './answer-mt-bench.js';
import { type MtPrompt, type MtQuestion, readMtPrompts, readMtQuestions, readMtReferences } from './mt-bench-files.js';
import { fillPrompt, mtRequest, readRating } from './mt-judging.js';
import { type MtRating, scoreMtBench } from './score-mt-bench.js';

const data = resolve(__dirname, '../../../..', process.env['LETHE_DATA'] ?? '../shared', 'benchmarks/mt_bench');
const whenThere = existsSync(data) ? describe : describe.skip;

whenThere('MT-Bench’s own files', () => {
  it('80 questions of two turns, ten a category', () => {
    const questions = readMtQuestions(data);
    expect(questions.map(({ id }) => Number(id))).toEqual(Array.from({ length: 80 }, (_, i) => 81 + i));
    const categories = new Set(questions.map(({ category }) => category));
    expect([...categories].map((one) => [one, mtTemperature(one)])).toEqual([
      ['writing', 0.7],
      ['roleplay', 0.7],
      ['reasoning', 0],
      ['math', 0],
      ['coding', 0],
      ['extraction', 0],
      ['stem', 0.1],
      ['humanities', 0.1],
    ]);
    expect(questions[0].place).toEqual({ file: join(data, 'question.jsonl'), line: 1 });
  });

  it('references: the corrected file, or the one that is named', () => {
    const questions = readMtQuestions(data);
    const corrected = readMtReferences(data, questions);
    expect([corrected.file, corrected.answers.size]).toEqual(['gpt-4-0125-preview.jsonl', 30]);
    const original = readMtReferences(data, questions, 'gpt-4.jsonl');
    expect(original.file).toBe('gpt-4.jsonl');
    expect(original.answers.get('101')).not.toEqual(corrected.answers.get('101'));
    expect(() => readMtReferences(data, questions, 'none.jsonl')).toThrow(/reference answers in .*none\.jsonl/);
  });

  it('all 160 requests: the prompt of the category and turn, with both turns and the references, nothing left open', () => {
    const [questions, prompts] = [readMtQuestions(data), readMtPrompts(data)];
    const references = readMtReferences(data, questions);
    let numReferences = 0;
    for (const question of questions) {
      const first = mtRequest({ question, answers: ['A-one'] }, prompts, references);
      const second = mtRequest({ question, answers: ['A-one', 'A-two'] }, prompts, references);
      const [one, two] = [first, second].map(({ messages }) => messages[1].content);
      expect([first.temperature, first.maxTokens]).toEqual([0, 2048]);
      expect(first.messages[0]).toEqual({ role: 'system', content: 'You are a helpful assistant.' });
      expect(second.messages[0].content).toContain("focus on the assistant's answer to the second");
      for (const text of [question.turns[0], 'A-one']) expect(one).toContain(text);
      for (const text of [...question.turns, 'A-one', 'A-two']) expect(two).toContain(text);
      expect(one).not.toContain('A-two');
      const reference = references.answers.get(question.id);
      const isUsed = two.includes('### Reference answer:');
      if (isUsed) numReferences++;
      expect(isUsed).toBe(['math', 'reasoning', 'coding'].includes(question.category));
      expect(one.includes('[The Start of Reference Answer]')).toBe(isUsed);
      if (isUsed) for (const text of reference!) expect(two).toContain(text);
    }
    expect(numReferences).toBe(30);
  });

  it('a prompt, byte for byte', () => {
    const [question] = readMtQuestions(data);
    const request = mtRequest({ question, answers: ['Aloha {answer} $&'] }, readMtPrompts(data), {
      file: '',
      answers: new Map(),
    });
    const [{ prompt_template }] = readFileSync(join(data, 'judge_prompts.jsonl'), 'utf8')
      .split('\n')
      .filter((line) => line.includes('"single-v1"'))
      .map((line) => JSON.parse(line) as { prompt_template: string });
    const [before, between, after] = prompt_template.split(/\{question\}|\{answer\}/);
    expect(request.messages[1].content).toBe(`${before}${question.turns[0]}${between}Aloha {answer} $&${after}`);
  });
});

describe('files that are not MT-Bench’s', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lethe-mt-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const write = (name: string, ...rows: object[]): void =>
    writeFileSync(join(folder, name), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const question: MtQuestion = { id: '111', category: 'math', turns: ['a', 'b'], place: { file: 'q', line: 1 } };
  const prompt = (name: string, more: object = {}): object => ({
    name,
    type: 'single',
    system_prompt: 's',
    prompt_template: 't',
    output_format: '[[rating]]',
    ...more,
  });
  const NAMES = ['single-v1', 'single-v1-multi-turn', 'single-math-v1', 'single-math-v1-multi-turn'];

  it('are refused with their places', () => {
    expect(() => readMtQuestions(folder)).toThrow(/question\.jsonl: no such file/);
    write(
      'question.jsonl',
      { question_id: 1, category: 'x', turns: ['a', 'b'] },
      { question_id: 2, category: 'x', turns: ['a'] },
    );
    expect(() => readMtQuestions(folder)).toThrow(/question\.jsonl:2: not a row of MT-Bench: turns.*; correct the row/);

    expect(() => readMtReferences(folder, [question])).toThrow(
      /expected .* in .*gpt-4-0125-preview\.jsonl or .*gpt-4\.jsonl/,
    );
    mkdirSync(join(folder, 'reference_answer'));
    write('reference_answer/gpt-4.jsonl', { question_id: 110, choices: [{ turns: ['a', 'b'] }] });
    expect(() => readMtReferences(folder, [question])).toThrow(
      /gpt-4\.jsonl: no reference answer to question 111 \(math\)/,
    );
    expect(readMtReferences(folder, [{ ...question, id: '110' }]).file).toBe('gpt-4.jsonl');

    expect(() => readMtPrompts(folder)).toThrow(/judge_prompts\.jsonl: no such file; FastChat has it/);
    write('judge_prompts.jsonl', ...NAMES.slice(1).map((name) => prompt(name)));
    expect(() => readMtPrompts(folder)).toThrow(/no prompt single-v1 of type single/);
    write('judge_prompts.jsonl', ...NAMES.map((name) => prompt(name, { output_format: '[[A]]' })));
    expect(() => readMtPrompts(folder)).toThrow(/judge_prompts\.jsonl:1: single-v1: expected the output_format/);
  });

  it('prompts may lie beside the folder, as in FastChat', () => {
    write('judge_prompts.jsonl', ...NAMES.map((name) => prompt(name)));
    mkdirSync(join(folder, 'inner'));
    expect(readMtPrompts(join(folder, 'inner')).size).toBe(4);
    copyFileSync(join(folder, 'judge_prompts.jsonl'), join(folder, 'inner', 'judge_prompts.jsonl'));
    write('judge_prompts.jsonl');
    expect(readMtPrompts(join(folder, 'inner')).get('single-v1')).toMatchObject({ system: 's', template: 't' });
  });

  it('a prompt with an unknown name is refused', () => {
    const odd: MtPrompt = {
      name: 'single-v1',
      system: '',
      template: '{question} {style}',
      place: { file: 'p', line: 5 },
    };
    expect(() => fillPrompt(odd, { question: 'q' })).toThrow(
      /p:5: single-v1: expected \{question\}, received \{style\}/,
    );
  });
});

it.each<[string, number | undefined]>([
  ['Good.\n\nRating: [[7]]', 7],
  ['Rating: [[8.5]]', 8.5],
  ['see [1]; Rating: [[6]]', 6],
  ['Rating: [9]', 9],
  ['[[3]] then [[5]]', 3],
  ['Rating: 9', undefined],
  ['[[rating]]', undefined],
  ['[[11]]', undefined],
  ['[[0]]', undefined],
  ['[[-1]]', undefined],
  ['', undefined],
])('%j is rated %j', (judgement, rating) => expect(readRating(judgement)).toBe(rating));

describe('scores', () => {
  const ratings = (values: [string, string, number, number][]): MtRating[] =>
    values.flatMap(([question, category, one, two]) => [
      { question, category, turn: 1 as const, rating: one },
      { question, category, turn: 2 as const, rating: two },
    ]);

  it('are means over both turns, by turn and by category', () => {
    const { overall, byTurn, byCategory } = scoreMtBench(
      ratings([
        ['81', 'writing', 8, 6],
        ['82', 'writing', 10, 4],
        ['101', 'math', 2, 1],
      ]),
    );
    expect(overall).toMatchObject({ value: 31 / 6, n: 6 });
    expect(byTurn.map(({ turn, rating }) => [turn, rating.value, rating.n])).toEqual([
      [1, 20 / 3, 3],
      [2, 11 / 3, 3],
    ]);
    expect(byCategory.map(({ category, rating }) => [category, rating.value, rating.n])).toEqual([
      ['writing', 7, 4],
      ['math', 1.5, 2],
    ]);
  });

  it('intervals are of questions, whose turns are drawn together', () => {
    const alike = ratings(Array.from({ length: 20 }, (_, i) => [String(i), 'x', i % 2 ? 10 : 0, i % 2 ? 10 : 0]));
    const { low, high } = scoreMtBench(alike).overall;
    expect(low).toBeLessThan(3.2);
    expect(high).toBeGreaterThan(6.8);
  });

  it('a turn that was not rated is left out', () => {
    const { overall, byTurn } = scoreMtBench(ratings([['81', 'writing', 8, 6]]).slice(0, 1));
    expect([overall.value, overall.n, byTurn[1].rating.n]).toEqual([8, 1, 0]);
    expect(byTurn[1].rating.value).toBeNaN();
  });
});
