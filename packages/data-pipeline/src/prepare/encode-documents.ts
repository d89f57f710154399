import { setImmediate as turn } from 'node:timers/promises';
import type { Document, WrongRow } from '../documents/document.js';
import type { UnparsedRow } from '../documents/read-documents.js';
import type { EncodedRow, EncodeRows } from './encode-rows.js';
import type { EncoderThreads } from './encoder-threads.js';

/** What was read: a document, a row that holds one, or a wrong row. */
export type Read = Document | UnparsedRow | WrongRow;

/** What was read, and what became of it. */
export type Encoded = { read: WrongRow } | { read: Document | UnparsedRow; encoded: EncodedRow };

/** Documents encoded together, at most. */
const MAX_DOCUMENTS = 512;
const MAX_CHARACTERS = 2 ** 18;
/** Batches read ahead for each thread. */
const AHEAD = 4;

interface Batch {
  reads: Read[];
  characters: number;
}

/**
 * Encodes documents, in batches; results come in the order of what was read, wrong rows in between. This thread encodes
 * what the others have no room for. Memory is bounded by some batches a thread; the others are closed in the end.
 */
export async function* encodeDocuments(
  reads: AsyncIterable<Read>,
  encode: EncodeRows,
  others: EncoderThreads,
): AsyncGenerator<Encoded> {
  const pending: Promise<Encoded[]>[] = [];
  try {
    for await (const batch of gather(reads)) {
      await turn(); // for answers of other threads
      const rows = batch.reads.filter((read): read is Document | UnparsedRow => !('reason' in read));
      const next = inPlace(batch, others.encode(rows, batch.characters) ?? encode(rows));
      next.catch(() => undefined); // reported when awaited, below
      pending.push(next);
      while (pending.length > 1 + AHEAD * others.count) yield* await pending.shift()!;
    }
    for (const last of pending) yield* await last;
  } finally {
    others.close();
  }
}

async function inPlace({ reads }: Batch, encoding: Promise<EncodedRow[]>): Promise<Encoded[]> {
  const rows = (await encoding).values();
  return reads.map((read) => ('reason' in read ? { read } : { read, encoded: rows.next().value! }));
}

async function* gather(reads: AsyncIterable<Read>): AsyncGenerator<Batch> {
  let batch: Batch = { reads: [], characters: 0 };
  for await (const read of reads) {
    batch.reads.push(read);
    batch.characters += sizeOf(read);
    if (batch.reads.length < MAX_DOCUMENTS && batch.characters < MAX_CHARACTERS) continue;
    yield batch;
    batch = { reads: [], characters: 0 };
  }
  if (batch.reads.length > 0) yield batch;
}

function sizeOf(read: Read): number {
  if ('reason' in read) return 0;
  if ('json' in read) return read.json.length;
  if ('text' in read) return read.text.length;
  return 'ids' in read ? read.ids.length : read.turns.reduce((n, { content }) => n + content.length, 0);
}
