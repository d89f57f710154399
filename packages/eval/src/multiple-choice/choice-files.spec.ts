import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { readChoiceFolder } from './choice-benchmark.js';
import { readChoiceCsv } from './choice-csv.js';

const root = resolve(__dirname, '../../../..');
const benchmarks = resolve(root, process.env['LETHE_DATA'] ?? '../shared', 'benchmarks');
const whenThere = (name: string): typeof it => (existsSync(join(benchmarks, name)) ? it : it.skip);
const folder = mkdtempSync(join(tmpdir(), 'lethe-eval-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('files of four-choice questions', () => {
  const write = (name: string, text: string): string => {
    const file = join(folder, name);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, text);
    return file;
  };

  it('cells may hold commas, quotes and newlines', () => {
    const file = write('cells.csv', '"What, ""is""\nthis?",a,"b\nb",c,d,B\nPlain,1,2,3,4,D\n');
    expect(readChoiceCsv(file)).toEqual([
      { question: 'What, "is"\nthis?', choices: ['a', 'b\nb', 'c', 'd'], answer: 1, place: { file, line: 1 } },
      { question: 'Plain', choices: ['1', '2', '3', '4'], answer: 3, place: { file, line: 4 } },
    ]);
  });

  it('a first record of column names is not a question, and allows answers from 0', () => {
    const header = 'question,choice0,choice1,choice2,choice3,answer\n';
    const read = readChoiceCsv(write('named.csv', `${header}q,0,1,2,3,2\nr,a,b,c,d,A\n`));
    expect(read.map(({ question: text, answer }) => [text, answer])).toEqual([
      ['q', 2],
      ['r', 0],
    ]);
    expect(() => readChoiceCsv(write('wrong.csv', `${header}q,0,1,2,3,4\n`))).toThrow(
      /wrong\.csv:2: expected .*0 to 3 or a letter A to D, received the answer "4"; correct/,
    );
    expect(() => readChoiceCsv(write('unnamed.csv', 'q,a,b,c,d,2\n'))).toThrow(
      /unnamed\.csv:1: .* received the answer "2"/,
    );
  });

  it.each([
    [
      'three columns',
      'q,a,b\n',
      /three-columns\.csv:1: expected 6 columns \(question, four choices.* correct the row, or remove it/,
    ],
    [
      'a wrong letter',
      'q,a,b,c,d,A\nq,a,b,c,d,E\n',
      /a-wrong-letter\.csv:2: .* received the answer "E"; correct the row/,
    ],
    ['nothing', '', /nothing\.csv: expected questions, received none; fetch the file again/],
    [
      'an open quote',
      '"q,a,b,c,d,A\n',
      /an-open-quote\.csv:1: the quote that opens here never closes.*; correct the quotes/,
    ],
  ])('%s is refused by file and record', (name, text, message) => {
    expect(() => readChoiceCsv(write(`${name.replaceAll(' ', '-')}.csv`, text))).toThrow(message);
  });

  it('marks, blank lines, line ends and quotes are read as pandas reads them', () => {
    const file = write('pandas.csv', '\ufeffA 5" nail,a,"b" c,c,d,B\r\n\r\nq,a,b,c,d,D \r\n\r\n');
    expect(readChoiceCsv(file)).toEqual([
      { question: 'A 5" nail', choices: ['a', 'b c', 'c', 'd'], answer: 1, place: { file, line: 1 } },
      { question: 'q', choices: ['a', 'b', 'c', 'd'], answer: 3, place: { file, line: 3 } },
    ]);
  });

  it('a folder gives subjects in order, with the shots of dev', () => {
    write('bench/test/b_test.csv', 'q,a,b,c,d,A\n');
    write('bench/test/a_test.csv', 'q,a,b,c,d,C\nr,a,b,c,d,B\n');
    write('bench/dev/b_dev.csv', 's,a,b,c,d,D\n');
    const subjects = readChoiceFolder(join(folder, 'bench'));
    expect(subjects.map(({ name, shots, questions }) => [name, shots.length, questions.length])).toEqual([
      ['a', 0, 2],
      ['b', 1, 1],
    ]);
    expect(() => readChoiceFolder(join(folder, 'bench'), 'mmlu', 'val')).toThrow(/val: no such folder/);
  });

  it('of CMMLU and C-Eval have columns by name, an index, and in C-Eval’s dev an explanation', () => {
    write('cmmlu/test/arts.csv', ',Question,A,B,C,D,Answer\n0,"甲""乙""",一,二,三,四,D\n');
    write('cmmlu/dev/arts.csv', ',Question,A,B,C,D,Answer\n0,s,一,二,三,四,A\n');
    const [arts] = readChoiceFolder(join(folder, 'cmmlu'), 'cmmlu');
    expect(arts).toMatchObject({ name: 'arts', title: '艺术学', categories: ['Humanities'] });
    expect(arts.questions[0]).toMatchObject({ question: '甲"乙"', choices: ['一', '二', '三', '四'], answer: 3 });
    expect(arts.shots).toHaveLength(1);
    write('ceval/val/college_physics_val.csv', 'id,question,A,B,C,D,answer\n0,q,a,b,c,d,C\n');
    write('ceval/dev/college_physics_dev.csv', 'id,question,A,B,C,D,answer,explanation\n0,s,a,b,c,d,B,"so\nso"\n');
    const [physics] = readChoiceFolder(join(folder, 'ceval'), 'ceval');
    expect(physics).toMatchObject({ title: '大学物理', categories: ['STEM', 'Hard'], questions: [{ answer: 2 }] });
    expect(physics.shots[0]).toMatchObject({ choices: ['a', 'b', 'c', 'd'], answer: 1 });
  });

  it('a subject that CMMLU does not have, and C-Eval’s test split without answers, are refused', () => {
    write('unknown/test/cooking.csv', ',Question,A,B,C,D,Answer\n');
    expect(() => readChoiceFolder(join(folder, 'unknown'), 'cmmlu')).toThrow(
      /cooking\.csv: cmmlu has no subject cooking/,
    );
    write('ceval/test/law_test.csv', 'id,question,A,B,C,D\n0,q,a,b,c,d\n');
    expect(() => readChoiceFolder(join(folder, 'ceval'), 'ceval', 'test')).toThrow(/law_test\.csv: .*split: val/);
  });

  whenThere('mmlu')('real MMLU files read: newlines in cells, 5 shots a subject', () => {
    const subjects = readChoiceFolder(join(benchmarks, 'mmlu'));
    expect(subjects).toHaveLength(readdirSync(join(benchmarks, 'mmlu/test')).length);
    for (const { questions } of subjects) expect(questions.length).toBeGreaterThanOrEqual(100);
    expect(subjects.every(({ shots, categories }) => shots.length === 5 && categories.length === 1)).toBe(true);
    const cells = subjects.flatMap(({ questions }) => questions.flatMap(({ choices, question: q }) => [q, ...choices]));
    expect(cells.some((cell) => cell.includes('\n'))).toBe(true);
  });

  whenThere('ceval')('real C-Eval files read', () => {
    const subjects = readChoiceFolder(join(benchmarks, 'ceval'), 'ceval');
    expect(subjects.map(({ name, questions, shots }) => [name, questions.length, shots.length])).toEqual([
      ['accountant', 49, 5],
      ['art_studies', 33, 5],
      ['basic_medicine', 19, 5],
    ]);
  });

  whenThere('cmmlu')('real CMMLU files read', () => {
    const subjects = readChoiceFolder(join(benchmarks, 'cmmlu'), 'cmmlu');
    expect(subjects.map(({ name, questions, shots }) => [name, questions.length, shots.length])).toEqual([
      ['agronomy', 169, 5],
      ['anatomy', 148, 5],
      ['arts', 160, 5],
    ]);
  });
});
