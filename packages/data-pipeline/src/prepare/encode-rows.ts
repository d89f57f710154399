import type { Document } from '../documents/document.js';
import { type Found, type JsonRow, readJsonRow } from '../documents/json-row.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';
import { createEncoder, type EncodedDocument, type EncodingOptions } from './encoder.js';
import { documentHash } from './held-out.js';

/** What is given to be encoded: a document, or a row of JSON that holds one. */
export type Unencoded = Document | JsonRow;

/** How rows become ids; `seed` is that of the hash by which documents are held out, where any are. */
export interface RowEncoding extends EncodingOptions {
  seed?: number | undefined;
}

/** What became of a row: of a wrong one, nothing but what was found. */
export interface EncodedRow extends EncodedDocument {
  /** Of a row of JSON. */
  found?: Found;
  /** See `documentHash`; 0 where none is asked for. */
  hash: number;
}

/** Makes ids of rows, each by itself, in any thread. */
export type EncodeRows = (rows: readonly Unencoded[]) => Promise<EncodedRow[]>;

/** @throws TokenizerError where the chat template cannot be used. */
export function createRowEncoder(tokenizer: Tokenizer, options: RowEncoding): EncodeRows {
  const encode = createEncoder(tokenizer, options);
  const { seed } = options;
  return async (rows) => {
    const all = rows.map((row) => ('json' in row ? readJsonRow(row) : { read: row, found: undefined }));
    const documents = all.flatMap(({ read }) => ('reason' in read ? [] : [read]));
    const encoded = (await encode(documents)).values();
    return all.map(({ read, found }) => {
      const what = found && { found };
      if ('reason' in read) return { parts: [], notes: [], hash: 0, ...what };
      return { ...encoded.next().value!, hash: seed === undefined ? 0 : documentHash(read, seed), ...what };
    });
  };
}
