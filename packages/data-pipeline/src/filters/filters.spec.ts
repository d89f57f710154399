import { readFileSync } from 'node:fs';
import path from 'node:path';
import { smallTokenizer, sampleTexts } from '../../testing/small-tokenizer.js';
import { temporaryFolder } from '../../testing/temporary-folder.js';
import { prepare } from '../prepare/prepare.js';
import { charactersFilter } from './characters-filter.js';
import type { FilterOptions } from './filter-kinds.js';
import { detectLanguage, languageFilter } from './language-filter.js';
import { lengthFilter } from './length-filter.js';
import { readOverlaps } from './read-overlaps.js';
import { repetitionFilter } from './repetition-filter.js';
import { hashWords, ngramKeys, wordsOf } from './words.js';

const folder = temporaryFolder();
const at = (name: string) => path.join(folder.path, name);
const place = { file: 'f', line: 1 };
const reasonOf = (filter: ReturnType<typeof lengthFilter>, text: string) => filter.check(text, { text, place })?.reason;
const WHALE = 'The whale swam north past the ship, and the captain watched the dark water all through the night.';

describe('words', () => {
  it('are lower case, without punctuation, one a character in scripts without spaces', () => {
    expect(wordsOf("Don't stop: 3 Naïve-CAFÉS")).toEqual(['don', 't', 'stop', '3', 'naïve', 'cafés']);
    expect(wordsOf('学习AI的 test')).toEqual(['学', '习', 'ai', '的', 'test']);
  });

  it('have equal n-gram keys exactly where their n-grams are equal', () => {
    const words = Array.from({ length: 3000 }, (_, i) => `w${(i * i * 31) % 17}`);
    for (const n of [1, 2, 5, 13]) {
      const keys = ngramKeys(hashWords(words), n);
      const texts = Array.from(keys, (_, i) => words.slice(i, i + n).join(' '));
      expect(keys).toHaveLength(3001 - n);
      expect(new Set(keys).size).toBe(new Set(texts).size);
      expect(new Map(texts.map((text, i) => [text, keys[i]])).size).toBe(new Set(keys).size);
    }
    expect(ngramKeys(hashWords(['a']), 2)).toHaveLength(0);
  });
});

describe('length and characters', () => {
  it.each([
    [{ minWords: 3 }, 'two words', 'fewer than 3 words'],
    [{ minWords: 3 }, '三个字', undefined],
    [{ maxWords: 2 }, 'three words here', 'more than 2 words'],
    [{ minCharacters: 5 }, 'four', 'fewer than 5 characters'],
    [{ maxCharacters: 3 }, 'four', 'more than 3 characters'],
  ])('%j on "%s"', (options, text, reason) => expect(reasonOf(lengthFilter(options), text)).toBe(reason));

  it.each([
    [WHALE, undefined],
    ['學而時習之，不亦說乎。', undefined],
    ['1 2 3 4 5 6 7 8 abc', 'fewer than 50.0% letters'],
    ['abcdef 123456', 'more than 30.0% digits'],
    ['abcdef $$$$', 'more than 35.0% symbols'],
    [`${'word '.repeat(5)}\u0001\ufffd`, 'more than 1.0% control characters'],
  ])('characters of %j', (text, reason) => expect(reasonOf(charactersFilter({}), text)).toBe(reason));
});

describe('repetition, by Table A1', () => {
  const filter = repetitionFilter({});
  const distinct = (count: number) => Array.from({ length: count }, (_, i) => `line${i} alpha${i * 7} beta${i * 13}`);

  it.each([
    ['natural text', sampleTexts(1)[0]!, undefined],
    ['distinct lines', distinct(50).join('\n'), undefined],
    [
      '31% duplicate lines',
      [...distinct(69), ...Array(31).fill('line0 alpha0 beta0')].join('\n'),
      'more than 30.0% duplicate lines',
    ],
    [
      'duplicate paragraphs',
      [...distinct(6), ...Array(4).fill('line0 alpha0 beta0')].join('\n\n'),
      'more than 30.0% duplicate lines',
    ],
    [
      'long duplicate lines',
      [...distinct(20), ...Array(3).fill(WHALE)].join('\n'),
      'more than 20.0% characters in duplicate lines',
    ],
    ['one pair of words', distinct(10).join(' same pair '), 'more than 20.0% characters in the most frequent 2-gram'],
    [
      'a sentence again and again',
      Array(5).fill(WHALE).join(' '),
      'more than 16.0% characters in the most frequent 4-gram',
    ],
    [
      'two pages twice',
      [...distinct(40), ...distinct(40).map((line) => `${line} end`)].join('. ').replaceAll(' end', ''),
      'more than 15.0% characters in duplicate 5-grams',
    ],
  ])('%s', (_, text, reason) => expect(reasonOf(filter, text)).toBe(reason));

  it('takes other limits', () => {
    expect(reasonOf(repetitionFilter({ duplicateNgrams: {}, topNgrams: {} }), Array(5).fill(WHALE).join(' '))).toBe(
      undefined,
    );
  });
});

describe('language', () => {
  it.each([
    ['en', WHALE],
    [
      'fr',
      'La baleine nageait vers le nord, et le capitaine regardait la mer dans la nuit avec les hommes qui étaient là.',
    ],
    ['de', 'Der Wal schwamm nach Norden, und der Kapitän sah die ganze Nacht auf das Wasser, das nicht ruhig war.'],
    ['es', 'La ballena nadaba hacia el norte y el capitán miraba el agua en la noche con los hombres que no dormían.'],
    ['zh', '鲸鱼向北游去，船长整夜看着水面。'],
    ['ja', 'クジラは北へ泳ぎ、船長は一晩中水を見ていた。'],
    ['ko', '고래는 북쪽으로 헤엄쳤고 선장은 밤새 물을 바라보았다.'],
    ['Cyrl', 'Кит плыл на север, и капитан всю ночь смотрел на воду.'],
    ['und', '12345 + 67890 = 80235'],
    ['und', 'xyzzy plugh foobar'],
  ])('%s', (code, text) => expect(detectLanguage(text)).toBe(code));

  it('keeps what is named and refuses unknown codes', () => {
    expect(reasonOf(languageFilter({ keep: ['zh'] }), WHALE)).toBe('language en');
    expect(() => languageFilter({ keep: ['xx'] })).toThrow(/expected some of en, fr, .* received xx/);
  });
});

describe('filters in prepare', () => {
  const run = async (name: string, rows: object[], filters: FilterOptions, as: 'text' | 'ids' = 'text') => {
    const source = folder.file(`${name}.jsonl`, rows.map((row) => JSON.stringify(row)).join('\n'));
    const tokenizer = await smallTokenizer(at('tokenizer'));
    const heldOut = { fraction: 0 };
    return (await prepare({ sources: [source], out: at(name), tokenizer, heldOut, filters, as })).report;
  };

  it('report what they keep, drop and why, with places', async () => {
    const rows = [
      { text: WHALE },
      { text: 'short' },
      { text: `${WHALE} ` },
      { text: WHALE },
      { question: 'q', answer: WHALE },
    ];
    const report = await run('reported', rows, { length: { minWords: 5 }, exactDuplicates: true });
    expect(report.splits.train.documents).toBe(3);
    expect(report.filters).toMatchObject({ seen: 5, kept: 3 });
    const source = at('reported.jsonl');
    expect(report.filters!.filters).toEqual([
      expect.objectContaining({
        name: 'length',
        seen: 5,
        dropped: 1,
        reasons: { 'fewer than 5 words': 1 },
        examples: [`${source}:2: fewer than 5 words (1)`],
      }),
      expect.objectContaining({
        name: 'exactDuplicates',
        seen: 4,
        dropped: 1,
        examples: [`${source}:4: equal to an earlier document (${source}:1)`],
        details: expect.objectContaining({ remembered: 3, notRemembered: 0 }),
      }),
    ]);
    const dropped = readFileSync(at('reported/dropped.jsonl'), 'utf8').trim().split('\n');
    expect(dropped.map((line) => (JSON.parse(line) as { line: number }).line)).toEqual([2, 4]);
    expect(report.wrongRows.count).toBe(0);
  });

  it('list overlaps with evaluation sets beside the shards, and drop them on demand', async () => {
    const item =
      'Which captain watched the dark water all through the night while the white whale swam north past his ship?';
    const set = folder.file(
      'evaluation.jsonl',
      `${JSON.stringify({ question: item, answer: 'A' })}\n{"text": "too short"}\n`,
    );
    const rows = [{ text: `Forum post. ${item.toUpperCase()} I wonder.` }, { text: WHALE }];
    const listed = await run('listed', rows, { overlap: { sets: [set] } });
    expect(listed.splits.train.documents).toBe(2);
    expect(listed.filters!.filters[0]!.details).toEqual({
      ngram: 13,
      items: 1,
      itemsTooShort: 1,
      itemsFound: 1,
      documentsWithOverlap: 1,
    });
    expect(
      readFileSync(at('listed/overlap.jsonl'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as object),
    ).toEqual([
      { searched: { file: set, ngram: 13, items: 1, tooShort: [2] } },
      {
        evaluation: { file: set, line: 1 },
        document: { file: at('listed.jsonl'), line: 1 },
        ngrams: 7,
        itemNgrams: 8,
        example: 'which captain watched the dark water all through the night while the white',
      },
    ]);
    const overlaps = await readOverlaps([at('listed'), at('listed/overlap.jsonl')]);
    expect([1, 2, 3].map((line) => overlaps.statusOf({ file: set, line }))).toEqual([
      'overlapping',
      'too short',
      'clean',
    ]);
    expect(overlaps.statusOf({ file: `${set}.other`, line: 1 })).toBeUndefined();
    await expect(readOverlaps([at('listed.jsonl')])).rejects.toThrow(/listed\.jsonl:1: expected a line of overlap/);
    await expect(readOverlaps([at('nowhere')])).rejects.toThrow(/prepare the data with filters\.overlap/);
    const dropped = await run('overlap-dropped', rows, { overlap: { sets: [set], drop: true } });
    expect(dropped.filters!.filters[0]!.examples).toEqual([
      `${at('overlap-dropped.jsonl')}:1: shares 13 words with an evaluation item (${set}:1)`,
    ]);
    await expect(run('none', rows, { overlap: { sets: [set], ngram: 40 } })).rejects.toThrow(/at least 40 words/);
  });

  it('compare ids exactly only', async () => {
    const rows = [{ input_ids: [5, 6] }, { input_ids: [5, 6] }, { input_ids: [5, 7] }];
    expect((await run('ids', rows, { exactDuplicates: true }, 'ids')).filters).toMatchObject({ seen: 3, kept: 2 });
    await expect(run('ids2', rows, { nearDuplicates: true }, 'ids')).rejects.toThrow(
      /ids can be filtered by exactDuplicates only/,
    );
  });
});
