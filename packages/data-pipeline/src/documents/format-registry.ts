import { arrow } from './arrow-format.js';
import { csv } from './csv-format.js';
import { SourceError } from './document.js';
import type { Format } from './format.js';
import { json, jsonLines } from './json-formats.js';
import { parquet } from './parquet-format.js';
import { text } from './text-format.js';

/** Formats in the order in which they are tried; a new format is one more entry here. */
export const formats: readonly Format[] = [parquet, arrow, csv, jsonLines, json, text];

const UNREADABLE: { what: string; remedy: string; is: (head: Buffer) => boolean }[] = [
  { what: 'a zip archive', remedy: 'unpack it first', is: (head) => starts(head, 'PK\x03\x04') },
  { what: 'bzip2', remedy: 'decompress it first', is: (head) => starts(head, 'BZh') },
  { what: 'xz', remedy: 'decompress it first', is: (head) => starts(head, '\xfd7zXZ') },
  { what: 'zstd', remedy: 'decompress it first', is: (head) => starts(head, '\x28\xb5\x2f\xfd') },
  {
    what: 'UTF-16 text',
    remedy: 'convert it to UTF-8',
    is: (head) => starts(head, '\xff\xfe') || starts(head, '\xfe\xff'),
  },
];

/**
 * The format of a file from its first bytes (decompressed) and its name.
 * @throws SourceError when no format reads it, with the remedy.
 */
export function detectFormat(head: Buffer, file: string, wanted?: string): Format {
  if (wanted !== undefined) {
    const format = formats.find((candidate) => candidate.name === wanted);
    if (format) return format;
    const names = formats.map((candidate) => candidate.name).join(', ');
    throw new SourceError(`${file}: expected a format of ${names}; received "${wanted}"`);
  }
  const name = file.toLowerCase();
  const unreadable = UNREADABLE.find((candidate) => candidate.is(head));
  if (unreadable)
    throw new SourceError(`${file}: is ${unreadable.what}, which cannot be read here; ${unreadable.remedy}`);
  const format = formats.find((candidate) => candidate.detect(head, name));
  if (format) return format;
  throw new SourceError(
    `${file}: expected text, JSONL, a JSON array, CSV, Parquet or Arrow; received binary data of an unknown kind`,
  );
}

function starts(head: Buffer, magic: string): boolean {
  return head.subarray(0, magic.length).equals(Buffer.from(magic, 'latin1'));
}
