import { isUtf8 } from 'node:buffer';
import { SourceError } from './document.js';
import type { Format, RawRow, ReadContext, ReadOptions } from './format.js';
import { skipMark, withoutMark } from './json-formats.js';
import { splitCsvRecords } from './split-csv-records.js';

const DELIMITERS = [',', '\t', ';', '|'];
const HAS_NAME = /\.(csv|tsv)(\.gz)?$/;

/** A table with a header, separated by what its first line has most of: commas, tabs, semicolons or bars. */
export const csv: Format = { name: 'csv', detect: (_, name) => HAS_NAME.test(name), read: readCsv };

async function* readCsv(
  chunks: AsyncIterable<Buffer>,
  options: ReadOptions,
  { head, file }: ReadContext,
): AsyncGenerator<RawRow> {
  let names: string[] | undefined;
  for await (const record of splitCsvRecords(skipMark(chunks), delimiterOf(head))) {
    if ('problem' in record) {
      yield record;
      continue;
    }
    const { line, fields } = record;
    const isText = fields.every((field) => isUtf8(field));
    if (!names && options.header !== false) {
      names = checkHeader(isText ? fields.map(String) : undefined, `${file}:${line}`);
      continue;
    }
    names ??= fields.map((_, i) => String(i));
    if (!isText) yield { line, problem: 'not valid UTF-8' };
    else if (fields.length !== names.length) {
      yield { line, problem: `expected ${names.length} fields, received ${fields.length}` };
    } else yield { line, value: Object.fromEntries(fields.map((field, i) => [names![i], field.toString()])) };
  }
}

/** The separator that the first line has most of, outside quotes. */
function delimiterOf(head: Buffer): string {
  const outside = withoutMark(head)
    .toString('utf8')
    .replace(/"[^"]*"/g, '');
  const [line = ''] = outside.split(/\r?\n/);
  const counts = DELIMITERS.map((delimiter) => line.split(delimiter).length);
  return DELIMITERS[counts.indexOf(Math.max(...counts))]!;
}

/**
 * Column names; nameless ones, such as the index that pandas writes, are called as pandas calls them: `Unnamed: 0`.
 * @throws SourceError for a header that names a column twice.
 */
function checkHeader(names: string[] | undefined, where: string): string[] {
  if (!names) throw new SourceError(`${where}: the header is not valid UTF-8; convert the file to UTF-8`);
  const named = names.map((name, i) => (name.trim() === '' ? `Unnamed: ${i}` : name));
  const twice = named.find((name, i) => named.indexOf(name) !== i);
  if (twice === undefined) return named;
  throw new SourceError(
    `${where}: expected a header of distinct names, received "${twice}" twice; rename one of the columns (where the file ` +
      'has no header at all, read it with header: false, which names the columns 0, 1, 2)',
  );
}
