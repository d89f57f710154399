import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { z } from 'zod';
import { readRows } from './read-rows.js';

const folder = mkdtempSync(join(tmpdir(), 'lethe-rows-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'rows');
const schema = z.object({ n: z.int(), text: z.string(), more: z.object({ k: z.int().nullable() }).optional() });
const id = { name: 'n', of: ({ n }: { n: number }) => n };
const read = (bytes: string | Uint8Array): ReturnType<typeof readRows<typeof schema>> => {
  writeFileSync(file, bytes);
  return readRows(file, { benchmark: 'Tests', schema, id });
};
const TWO = '{"n":1,"text":"a"}\n\n{"n":2,"text":"b"}';
const places = [1, 3].map((line) => ({ file, line }));

it.each<[string, string | Uint8Array]>([
  ['lines', TWO],
  ['lines with a byte order mark', `\ufeff${TWO}`],
  ['lines with carriage returns', `${TWO.replaceAll('\n', '\r\n')}\r\n`],
  ['gzipped lines, whatever the name', gzipSync(TWO)],
  ['an array', `[{"n":1,"text":"a"},\n\n{"n":2,"text":"b"}]`],
  ['a gzipped array with a mark', gzipSync(`\ufeff[{"n":1,"text":"a"},\n\n{"n":2,"text":"b"}]\n`)],
])('%s are rows with their lines', (_, bytes) => {
  expect(read(bytes)).toEqual([
    { n: 1, text: 'a', place: places[0] },
    { n: 2, text: 'b', place: places[1] },
  ]);
});

it('numbers and missing values may be as pandas writes them', () => {
  expect(read('{"n": 1.0, "text": "2.0 NaN", "more": {"k": NaN}}\n')).toEqual([
    { n: 1, text: '2.0 NaN', more: { k: null }, place: places[0] },
  ]);
});

it.each<[string, string | Uint8Array, RegExp]>([
  [
    'a row of another kind',
    `${TWO}\n{"n":"3"}`,
    /rows:4: not a row of Tests: n: .*, text: .*; correct the row, or remove/,
  ],
  ['a torn row', `${TWO}\n{"n":3,`, /rows:4: not valid JSON: .*; correct the row, or remove it to score the others/],
  ['a number', '7', /rows:1: not a row of Tests: .*; correct the row/],
  ['an id twice', `${TWO}\n{"n":1,"text":"c"}`, /rows:4: n 1 is also that of line 1; remove one of the two/],
  ['an array that does not end', '[{"n":1,"text":"a"},', /rows:1: the JSON array is not closed.*; correct the row/],
  ['nothing', '\n', /rows: expected rows of Tests, received none; give a file that has some/],
  ['another encoding', Buffer.from('{"n":1,"text":"\xe9"}', 'latin1'), /rows: not valid UTF-8; convert it to UTF-8/],
  ['half of a gzipped file', gzipSync(TWO).subarray(0, 20), /rows: does not unpack \(.*\); fetch it again/],
])('%s is refused with a remedy', (_, bytes, message) => {
  expect(() => read(bytes)).toThrow(message);
});

it('a file that is not there is named', () => {
  expect(() => readRows(join(folder, 'none'), { benchmark: 'Tests', schema })).toThrow(/none: no such file; check/);
});
