import path from 'node:path';
import { Permutation } from '../order/permutation.js';
import { ShardReader } from '../shards/shard-reader.js';
import { assembleRow, emptyBatch } from './assemble-row.js';

/** One document by itself, for evaluation. */
export interface Sequence {
  /** At most `maxLength` ids. */
  ids: Int32Array;
  /** The next token of the document, -1 where there is none or it is not a target. */
  targets: Int32Array;
  /** "heldout/shard-00000 doc 12". */
  document: string;
}

/** Which documents to read. */
export interface SequencesOptions {
  shards: string | readonly string[];
  /** Longer documents are cut there. */
  maxLength: number;
  /** At most so many documents of each folder, chosen by `seed` (in stored order without a seed). */
  maxDocuments?: number;
  seed?: number;
  tokenizerHash?: string;
}

/** Documents one by one, truncated to `maxLength` tokens. @throws ShardError as `ShardReader`. */
export async function* sequences(options: SequencesOptions): AsyncGenerator<Sequence> {
  if (!(Number.isInteger(options.maxLength) && options.maxLength >= 1)) {
    throw new RangeError(`sequences: expected a maxLength of at least 1, received ${options.maxLength}`);
  }
  const { tokenizerHash } = options;
  for (const folder of typeof options.shards === 'string' ? [options.shards] : options.shards) {
    const reader = await ShardReader.open(folder, tokenizerHash === undefined ? {} : { tokenizerHash });
    const { documents } = reader.index;
    const count = Math.min(documents, options.maxDocuments ?? documents);
    const order =
      options.seed === undefined || count === documents ? undefined : new Permutation(documents, options.seed);
    for (let i = 0; i < count; i++) yield await readSequence(reader, order?.at(i) ?? i, options.maxLength);
  }
}

async function readSequence(reader: ShardReader, number: number, maxLength: number): Promise<Sequence> {
  const document = await reader.document(number);
  const length = Math.min(maxLength, document.ids.length);
  const row = emptyBatch(1, length);
  assembleRow(row, 0, [{ document, start: 0, length }], 0);
  const { shard } = reader.batches[reader.batchOf(number)]!;
  const name = `${path.basename(reader.folder)}/${shard.replace(/\.arrow$/, '')} doc ${number}`;
  return { ids: row.ids, targets: row.targets, document: name };
}
