import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { trainTokenizer } from '@lethe/data-pipeline';
import { baselm, initializeLlama } from '@lethe/model';
import { useDevice } from '@lethe/tensor';
import { type ChoiceSubject, readMmluCsv, readMmluFolder } from './mmlu-files.js';
import { mmluPrefix, mmluQuestion } from './mmlu-prompt.js';
import { scoreChoices } from './score-choices.js';

const root = resolve(__dirname, '../../../..');
const mmlu = resolve(root, process.env['LETHE_DATA'] ?? '../shared', 'benchmarks/mmlu');
const folder = mkdtempSync(join(tmpdir(), 'lethe-eval-'));
afterAll(() => rmSync(folder, { recursive: true }));

const question = (text: string, answer: number): ChoiceSubject['questions'][number] => ({
  question: text,
  choices: ['one', 'two', 'three', 'four'],
  answer,
});

describe('MMLU files', () => {
  const write = (name: string, text: string): string => {
    const file = join(folder, name);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, text);
    return file;
  };

  it('cells may hold commas, quotes and newlines', () => {
    const file = write('cells.csv', '"What, ""is""\nthis?",a,"b\nb",c,d,B\nPlain,1,2,3,4,D\n');
    expect(readMmluCsv(file)).toEqual([
      { question: 'What, "is"\nthis?', choices: ['a', 'b\nb', 'c', 'd'], answer: 1, place: { file, line: 1 } },
      { question: 'Plain', choices: ['1', '2', '3', '4'], answer: 3, place: { file, line: 4 } },
    ]);
  });

  it('a first record of column names is not a question, and allows answers from 0', () => {
    const header = 'question,choice0,choice1,choice2,choice3,answer\n';
    const read = readMmluCsv(write('named.csv', `${header}q,0,1,2,3,2\nr,a,b,c,d,A\n`));
    expect(read.map(({ question: text, answer }) => [text, answer])).toEqual([
      ['q', 2],
      ['r', 0],
    ]);
    expect(() => readMmluCsv(write('wrong.csv', `${header}q,0,1,2,3,4\n`))).toThrow(/wrong\.csv: record 2: .*"4"/);
    expect(() => readMmluCsv(write('unnamed.csv', 'q,a,b,c,d,2\n'))).toThrow(/record 1/);
  });

  it.each([
    ['three columns', 'q,a,b\n', /three-columns\.csv: record 1: expected question, four choices/],
    ['a wrong letter', 'q,a,b,c,d,A\nq,a,b,c,d,E\n', /a-wrong-letter\.csv: record 2: .* ending in "E"/],
    ['an open quote', '"q,a,b,c,d,A\n', /an-open-quote\.csv: not readable as CSV/],
  ])('%s is refused by file and record', (name, text, message) => {
    expect(() => readMmluCsv(write(`${name.replaceAll(' ', '-')}.csv`, text))).toThrow(message);
  });

  it('a folder gives subjects in order, with the shots of dev', () => {
    write('bench/test/b_test.csv', 'q,a,b,c,d,A\n');
    write('bench/test/a_test.csv', 'q,a,b,c,d,C\nr,a,b,c,d,B\n');
    write('bench/dev/b_dev.csv', 's,a,b,c,d,D\n');
    const subjects = readMmluFolder(join(folder, 'bench'));
    expect(subjects.map(({ name, shots, questions }) => [name, shots.length, questions.length])).toEqual([
      ['a', 0, 2],
      ['b', 1, 1],
    ]);
    expect(() => readMmluFolder(join(folder, 'bench'), 'val')).toThrow(/val: no such folder/);
  });

  (existsSync(mmlu) ? it : it.skip)('real MMLU files read: newlines in cells, 5 shots a subject', () => {
    const subjects = readMmluFolder(mmlu);
    expect(subjects).toHaveLength(readdirSync(join(mmlu, 'test')).length);
    for (const { questions } of subjects) expect(questions.length).toBeGreaterThanOrEqual(100);
    expect(subjects.every(({ shots }) => shots.length === 5)).toBe(true);
    const cells = subjects.flatMap(({ questions }) => questions.flatMap(({ choices, question: q }) => [q, ...choices]));
    expect(cells.some((cell) => cell.includes('\n'))).toBe(true);
  });
});

it('the prompt is MMLU’s own, two spaces before the subject included', () => {
  const subject = { name: 'high_school_physics', shots: [question('What?', 2)], questions: [question('Which?', 0)] };
  expect(mmluPrefix(subject, 5) + mmluQuestion(subject.questions[0])).toBe(
    'The following are multiple choice questions (with answers) about  high school physics.\n\n' +
      'What?\nA. one\nB. two\nC. three\nD. four\nAnswer: C\n\n' +
      'Which?\nA. one\nB. two\nC. three\nD. four\nAnswer:',
  );
  expect(mmluPrefix(subject, 0)).toMatch(/physics\.\n\n$/);
});

describe('scoreChoices', () => {
  const subjects: ChoiceSubject[] = [
    {
      name: 'a',
      shots: [question('shot', 1)],
      questions: [0, 1, 2, 3, 0].map((y, i) => question(`q${'x'.repeat(i)}`, y)),
    },
    { name: 'b', shots: [], questions: [question('another question, longer than those', 3)] },
  ];
  const config = { hiddenSize: 16, intermediateSize: 32, numLayers: 1, numHeads: 2, numKeyValueHeads: 2, headDim: 8 };
  const tokenizer = trainTokenizer(['Answer: A Answer: B Answer: C Answer: D'], { vocabSize: 262, folder });
  const modelOf = (maxPositions: number): ReturnType<typeof initializeLlama> =>
    initializeLlama(baselm({ ...config, vocabSize: 262, maxPositions, initializerRange: 0.5 }), 3);
  beforeAll(() => useDevice('lethe-cpu'));

  it('does not depend on how questions are batched', async () => {
    const model = modelOf(512);
    const [one, many] = [
      await scoreChoices(model, await tokenizer, subjects, { numShots: 1, batchRows: 1 }),
      await scoreChoices(model, await tokenizer, subjects, { numShots: 1, batchRows: 4 }),
    ];
    expect(one.outcomes).toHaveLength(6);
    one.outcomes.forEach((outcome, i) => {
      expect(many.outcomes[i]).toMatchObject({
        subject: outcome.subject,
        index: outcome.index,
        chosen: outcome.chosen,
      });
      outcome.logprobs.forEach((x, choice) => expect(many.outcomes[i].logprobs[choice]).toBeCloseTo(x, 4));
      expect(outcome.logprobs.every((x) => x < 0)).toBe(true);
      expect(outcome.chosen).toBe(outcome.logprobs.indexOf(Math.max(...outcome.logprobs)));
    });
    model.dispose();
  });

  it('micro counts questions, macro averages subjects', async () => {
    const model = modelOf(512);
    const { micro, macro, bySubject, outcomes } = await scoreChoices(model, await tokenizer, subjects, { numShots: 1 });
    const right = outcomes.filter(({ isRight }) => isRight).length;
    expect(micro).toMatchObject({ value: right / 6, n: 6 });
    expect(bySubject.map(({ accuracy }) => accuracy.n)).toEqual([5, 1]);
    expect(macro).toBeCloseTo((bySubject[0].accuracy.value + bySubject[1].accuracy.value) / 2, 12);
    model.dispose();
  });

  it('drops shots that exceed the context and counts them; cuts the start of a question that does not fit alone', async () => {
    const [small, tiny] = [modelOf(150), modelOf(64)];
    const { numShortened } = await scoreChoices(small, await tokenizer, subjects.slice(0, 1), { numShots: 1 });
    expect(numShortened).toBe(5);
    const cut = await scoreChoices(tiny, await tokenizer, subjects, { numShots: 1 });
    expect(cut).toMatchObject({ numShortened: 6, micro: { n: 6 } });
    for (const model of [small, tiny]) model.dispose();
  });
});
