import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main } from '../main.js';

const folder = mkdtempSync(join(tmpdir(), 'lethe-compare-'));
afterAll(() => rmSync(folder, { recursive: true }));

const items = (scores: string): object[] =>
  [...scores].map((score, i) => ({
    id: `s/${i}`,
    group: 's',
    gold: 'A',
    prediction: score === '1' ? 'A' : 'B',
    score: Number(score),
    place: { file: 'q.csv', line: i + 1 },
  }));
const write = (name: string, tasks: object[]): string => {
  const file = join(folder, `${name}.json`);
  writeFileSync(file, JSON.stringify({ model: name, tasks }));
  return file;
};
const task = (name: string, scores: string, average = 'micro'): object => ({
  kind: 'multiple-choice',
  name,
  average,
  measures: [],
  items: items(scores),
});

async function compare(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const output = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((stream) =>
    jest.spyOn(process[stream], 'write').mockImplementation((text) => {
      output[stream] += String(text);
      return true;
    }),
  );
  const code = await main(['compare', ...args]);
  for (const spy of spies) spy.mockRestore();
  return { code, out: output.stdout, err: output.stderr };
}

it('compares every two of a lineage, writes items, and tells which are in training data', async () => {
  const files = [
    write('base', [task('MMLU', '1111100000'), task('C-Eval', '10', 'macro')]),
    write('synth', [task('MMLU', '1111011111'), task('C-Eval', '11', 'macro')]),
    write('unlearn', [task('MMLU', '1111011111'), { kind: 'perplexity', name: 'text', perplexity: 2 }]),
  ];
  writeFileSync(
    join(folder, 'overlap.jsonl'),
    [
      { searched: { file: 'q.csv', ngram: 13, items: 9, tooShort: [] } },
      {
        evaluation: { file: 'q.csv', line: 6 },
        document: { file: 'd', line: 1 },
        ngrams: 1,
        itemNgrams: 1,
        example: '',
      },
    ]
      .map((line) => `${JSON.stringify(line)}\n`)
      .join(''),
  );
  const out = join(folder, 'out', 'results.json');
  const { code, out: table, err } = await compare(...files, '--out', out, '--overlap', join(folder, 'overlap.jsonl'));
  expect([code, err]).toEqual([0, expect.stringContaining(out)]);
  expect(table).toMatch(/^base -> synth$/m);
  // 1 lost, 5 recovered: p = 2 (1 + 6) / 64; C-Eval: 0 and 1: p = 1; Holm doubles the smaller.
  expect(table).toMatch(/^MMLU +10 +50\.0 +90\.0 +40\.0 \[.*\] +1 +5 +0\.219 +0\.438$/m);
  expect(table).toMatch(/^C-Eval +2 +50\.0 +100\.0 .* 0 +1 +1\.000 +1\.000$/m);
  expect(table).toMatch(
    /^synth -> unlearn\n.*\n.*\nMMLU +10 +90\.0 +90\.0 +0\.0 \[-27\.8, 27\.8\] +0 +0 +1\.000 +1\.000$/m,
  );
  const written = JSON.parse(readFileSync(out, 'utf8')) as {
    models: { model: string }[];
    comparisons: { benchmarks: { lost: object[]; recovered: { id: string; overlap?: string }[] }[] }[];
  };
  expect(written.models.map(({ model }) => model)).toEqual(['base', 'synth', 'unlearn']);
  expect(written.comparisons).toHaveLength(3);
  const [mmlu] = written.comparisons[0].benchmarks;
  expect(mmlu.lost).toEqual([
    { id: 's/4', gold: 'A', before: 'A', after: 'B', place: { file: 'q.csv', line: 5 }, overlap: 'clean' },
  ]);
  expect(mmlu.recovered.map(({ id, overlap }) => [id, overlap])).toEqual([
    ['s/5', 'overlapping'],
    ['s/6', 'clean'],
    ['s/7', 'clean'],
    ['s/8', 'clean'],
    ['s/9', 'clean'],
  ]);
});

it.each<[string, () => string[], RegExp]>([
  ['one file', () => [write('a', [task('M', '1')])], /two or more results to compare, received 1/],
  ['no file', () => [join(folder, 'none.json'), join(folder, 'none.json')], /none\.json: no such file/],
  [
    'another file',
    () => [write('a', [task('M', '1')]), join(folder, 'overlap.jsonl')],
    /overlap\.jsonl: expected JSON /,
  ],
  [
    'nothing in common',
    () => [write('a', [task('M', '1')]), write('b', [task('N', '1')])],
    /a and b were not scored on the same benchmark/,
  ],
  [
    'an earlier version',
    () => [write('a', [task('M', '1')]), write('old', [{ kind: 'multiple-choice', name: 'M', scores: {} }])],
    /old\.json: M has no items: .*evaluate again/,
  ],
])('%s is refused', async (given, files, message) => {
  const { code, err } = await compare(...files());
  expect([code, err]).toEqual([given === 'one file' ? 2 : 1, expect.stringMatching(message)]);
});
