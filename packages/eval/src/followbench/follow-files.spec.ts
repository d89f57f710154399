import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { readFollowBench } from './follow-files.js';
import { FOLLOW_CATEGORIES, type FollowItem } from './follow-item.js';
import { isRuleChecked } from './follow-rules.js';

const data = resolve(__dirname, '../../../..', process.env['LETHE_DATA'] ?? '../shared', 'benchmarks/followbench/data');
const whenThere = existsSync(data) ? describe : describe.skip;
const count = (items: FollowItem[], key: (item: FollowItem) => string): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const item of items) counts[key(item)] = (counts[key(item)] ?? 0) + 1;
  return counts;
};

whenThere('FollowBench’s own files', () => {
  let items: FollowItem[];
  beforeAll(() => void (items = readFollowBench(data)));

  it('820 items are scored: groups of five levels', () => {
    expect(items).toHaveLength(820);
    expect(new Set(items.map(({ id }) => id)).size).toBe(820);
    expect(count(items, ({ category }) => category)).toEqual({
      content: 125,
      situation: 110,
      style: 150,
      format: 150,
      mixed: 85,
      example: 200,
    });
    expect(new Set(Object.values(count(items, ({ group }) => group)))).toEqual(new Set([5]));
    expect(count(items, ({ level }) => String(level))).toEqual({ 1: 164, 2: 164, 3: 164, 4: 164, 5: 164 });
  });

  it('350 are checked by rule, from the sources that have rules', () => {
    const ruled = items.filter((item) => isRuleChecked(item, 'en'));
    expect(ruled).toHaveLength(350);
    expect(count(ruled, ({ category }) => category)).toEqual({
      content: 60,
      situation: 40,
      format: 10,
      mixed: 40,
      example: 200,
    });
    expect(
      count(
        ruled.filter(({ category }) => category !== 'example'),
        ({ source }) => source,
      ),
    ).toEqual({
      E2E: 25,
      WIKIEVENTS: 10,
      CONLL2003: 25,
      BBH_logical: 25,
      BBH_time: 5,
      self_made_space: 5,
      gsm_8k: 5,
      helpful_base: 5,
      koala: 5,
      text_editing: 15,
      cnn_dailymail: 5,
      xsum: 5,
      samsum: 5,
      gigaword: 5,
      arxiv: 5,
    });
  });

  it('an item has its place and the path of instructions that leads to it', () => {
    const item = items.find(({ id }) => id === 'format/22/2')!;
    expect(item.path).toEqual([
      'How do I take care of a wooden table?',
      'How do I take care of a wooden table? Response in three paragraphs.',
      item.instruction,
    ]);
    const lines = readFileSync(item.place.file, 'utf8').split('\n');
    const row = lines.slice(item.place.line - 1, item.place.line + 7).join('\n');
    expect(row.trimStart().startsWith('{')).toBe(true);
    expect(row).toContain('"example_id": 22');
    expect(row).toContain('"level": 2');
    expect(items.find(({ category }) => category === 'example')!.path).toHaveLength(1);
  });
});

describe('files that are not FollowBench’s', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lethe-follow-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const row = (level: number, more: object = {}): object => ({
    example_id: 7,
    category: 'content',
    source: 'E2E',
    level,
    instruction: `do ${level}`,
    target: 'done',
    ...more,
  });
  const write = (category: string, rows: object[]): void =>
    writeFileSync(join(folder, `${category}_constraints.json`), JSON.stringify(rows, null, 1));
  const levels = [0, 1, 2, 3, 4, 5];
  beforeEach(() => {
    for (const category of FOLLOW_CATEGORIES)
      write(
        category,
        levels.filter((level) => level > 0 || category !== 'example').map((level) => row(level)),
      );
  });

  it('a folder with all six is read', async () => {
    const items = readFollowBench(folder);
    expect(items.map(({ id }) => id).slice(0, 6)).toEqual([
      ...[1, 2, 3, 4, 5].map((n) => `content/7/${n}`),
      'situation/7/1',
    ]);
    expect(items[1].place).toEqual({ file: join(folder, 'content_constraints.json'), line: 18 });
  });

  it.each<[string, () => void, RegExp]>([
    [
      'a missing file',
      () => rmSync(join(folder, 'style_constraints.json')),
      /style_constraints\.json: no such file; expected the folder data/,
    ],
    [
      'a row without a level',
      () => write('style', [row(0), { ...row(1), level: undefined }]),
      /style_constraints\.json:10: not a row of FollowBench: .*[^]*level/,
    ],
    [
      'a level that is missing',
      () =>
        write(
          'style',
          [0, 1, 2, 4, 5].map((n) => row(n)),
        ),
      /style_constraints\.json:2: example_id 7 has the levels 0,1,2,4,5; expected 0,1,2,3,4,5/,
    ],
    [
      'an empty instruction',
      () =>
        write(
          'style',
          levels.map((n) => row(n, n === 3 ? { instruction: '' } : {})),
        ),
      /style_constraints\.json:26: expected an instruction/,
    ],
    ['no JSON', () => copyFileSync(__filename, join(folder, 'style_constraints.json')), /style_constraints\.json:1: /],
  ])('%s is refused with its place', async (_, change, message) => {
    change();
    expect(() => readFollowBench(folder)).toThrow(message);
  });

  it('the level 0 of a group may be empty', async () => {
    write(
      'content',
      levels.map((n) => row(n, n === 0 ? { instruction: '' } : {})),
    );
    expect(readFollowBench(folder)[0].path).toEqual(['', 'do 1']);
  });
});
