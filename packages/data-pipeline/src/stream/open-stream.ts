import { PackedSet } from '../packing/packed-set.js';
import type { Packing } from '../packing/packing-plan.js';
import { ShardError } from '../shards/shard-index.js';
import { ShardReader } from '../shards/shard-reader.js';
import { PackedStream } from './packed-stream.js';

/** How shards become a stream of rows. */
export interface OpenStreamOptions {
  /** A folder with `index.json`, or several, made with the same tokenizer. */
  shards: string | readonly string[];
  /** T, tokens per row. */
  rowLength: number;
  /** Decides order and packing. */
  seed: number;
  /** Default `best-fit`. */
  packing?: Packing;
  /** Default true; false keeps the rows in stored order. */
  shuffle?: boolean;
  /** Refuse shards of another tokenizer. */
  tokenizerHash?: string;
  /** Refuse shards with ids beyond the model's vocabulary. */
  vocabSize?: number;
  /** Record batches kept in memory, in bytes. Default 48 MiB. */
  cacheBytes?: number;
  /** Tokens packed together, at least; smaller groups need less memory. Default 2 Mi. */
  groupTokens?: number;
}

/**
 * Opens shards as an endless deterministic stream of packed rows.
 * @throws ShardError when shards are missing, damaged, empty, or do not fit the model; RangeError for a bad row length.
 */
export async function openStream(options: OpenStreamOptions): Promise<PackedStream> {
  const { rowLength, seed, packing = 'best-fit', groupTokens } = options;
  if (!(Number.isInteger(rowLength) && rowLength >= 2)) {
    throw new RangeError(`openStream: expected a rowLength of at least 2, received ${rowLength}`);
  }
  if (!Number.isSafeInteger(seed))
    throw new RangeError(`openStream: expected a whole number as seed, received ${seed}`);
  const folders = typeof options.shards === 'string' ? [options.shards] : options.shards;
  const cacheBytes = Math.floor((options.cacheBytes ?? 48 * 2 ** 20) / Math.max(1, folders.length));
  const sets: PackedSet[] = [];
  for (const folder of folders) {
    const reader = await ShardReader.open(folder, {
      cacheBytes,
      ...(options.tokenizerHash === undefined ? {} : { tokenizerHash: options.tokenizerHash }),
    });
    checkFit(reader, sets[0]?.reader, options.vocabSize);
    sets.push(
      await PackedSet.create(reader, {
        rowLength,
        seed,
        packing,
        ...(groupTokens === undefined ? {} : { groupTokens }),
      }),
    );
  }
  const stream = new PackedStream(sets, rowLength, seed, options.shuffle ?? true);
  if (stream.numRows > 0) return stream;
  throw new ShardError(
    `${folders.join(', ') || 'openStream'}: expected shards with documents, received none; prepare data first`,
  );
}

function checkFit(reader: ShardReader, other: ShardReader | undefined, vocabSize: number | undefined): void {
  const { index, folder } = reader;
  if (vocabSize !== undefined && index.vocabSize > vocabSize) {
    throw new ShardError(
      `${folder}: expected ids below the model's vocabulary of ${vocabSize}, received shards of a vocabulary of ` +
        `${index.vocabSize}; prepare the data with the model's own tokenizer`,
    );
  }
  if (other && other.index.tokenizerHash !== index.tokenizerHash) {
    throw new ShardError(`${folder}: made with another tokenizer than ${other.folder}; prepare both with the same one`);
  }
}
