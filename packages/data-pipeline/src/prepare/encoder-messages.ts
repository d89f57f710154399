import type { Document } from '../documents/document.js';
import type { JsonRow } from '../documents/json-row.js';
import type { CoreName } from '../tokenizer/tokenizer-core.js';
import type { EncodedRow, RowEncoding, Unencoded } from './encode-rows.js';

/** What a thread that encodes is started with; it then receives lists of rows, and answers each. */
export interface EncoderSettings {
  /** The tokenizer.json, and the hash that the tokenizer made of it must have. */
  file: string;
  hash: string;
  core: CoreName;
  options: RowEncoding;
}

/** Rows on their way to a thread: the JSON of all in one buffer, which is handed over, and of each how long it is. */
export interface EncoderRequest {
  json: Uint8Array;
  rows: (Document | (Omit<JsonRow, 'json'> & { numBytes: number }))[];
}

export function packRows(rows: readonly Unencoded[]): EncoderRequest {
  const parts = rows.flatMap((row) => ('json' in row ? [row.json] : []));
  const json = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    json.set(part, at);
    at += part.length;
  }
  const packed = rows.map((row) => {
    if (!('json' in row)) return row;
    const { json: bytes, place, columns, prefer } = row;
    return { numBytes: bytes.length, place, columns, prefer };
  });
  return { json, rows: packed };
}

export function unpackRows({ json, rows }: EncoderRequest): Unencoded[] {
  let at = 0;
  return rows.map((row) => {
    if (!('numBytes' in row)) return row;
    const { numBytes, ...rest } = row;
    at += numBytes;
    return { json: Buffer.from(json.buffer, at - numBytes, numBytes), ...rest };
  });
}

/** What it says: once that it is ready, then what became of the rows, in the order of the lists. */
export type EncoderReply =
  | { kind: 'ready' }
  | { kind: 'encoded'; rows: EncodedRow[] }
  | { kind: 'failed'; message: string; isExpected: boolean };
