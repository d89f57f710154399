import { open, stat } from 'node:fs/promises';
import path from 'node:path';
import { requireFile } from '@lethe/run';
import { decodeBatch, encodeSchema, type BatchColumns } from './arrow-batch.js';
import { ByteCache } from './byte-cache.js';
import { crc32 } from './crc32.js';
import { readShardIndex, ShardError, type BatchEntry, type ShardIndex } from './shard-index.js';

/** How shards are read. */
export interface ShardReaderOptions {
  /** Refuse shards made with another tokenizer than the one of this hash. */
  tokenizerHash?: string;
  /** Decoded batches kept in memory, in bytes. Default 48 MiB. */
  cacheBytes?: number;
}

/** One document's tokens; views into a cached batch. */
export interface StoredDocument {
  ids: Uint16Array | Uint32Array;
  mask?: Uint8Array;
}

/** A record batch's place in the whole. */
export interface BatchPlace extends BatchEntry {
  shard: string;
  shardNumber: number;
  numberInShard: number;
  /** Number of the batch's first document in the whole set. */
  firstDocument: number;
}

/** Reads finished shards batch by batch; every batch's CRC is checked when it comes from disk. */
export class ShardReader {
  readonly batches: readonly BatchPlace[];
  /** The last two names of the folder's path, for messages. */
  readonly name: string;
  private readonly schema: Buffer;
  private readonly cache: ByteCache<BatchColumns>;

  private constructor(
    readonly folder: string,
    readonly index: ShardIndex,
    options: ShardReaderOptions,
  ) {
    this.name = path.resolve(folder).split(path.sep).slice(-2).join('/');
    this.schema = encodeSchema(index.idType, index.hasTargetsMask);
    this.cache = new ByteCache(options.cacheBytes ?? 48 * 2 ** 20);
    let firstDocument = 0;
    this.batches = index.shards.flatMap((shard, shardNumber) =>
      shard.batches.map((batch, numberInShard) => {
        const place = { ...batch, shard: shard.file, shardNumber, numberInShard, firstDocument };
        firstDocument += batch.documents;
        return place;
      }),
    );
  }

  /** Opens a shard folder. @throws ShardError for a missing or damaged index or another tokenizer. */
  static async open(folder: string, options: ShardReaderOptions = {}): Promise<ShardReader> {
    const index = await readShardIndex(folder);
    if (options.tokenizerHash !== undefined && options.tokenizerHash !== index.tokenizerHash) {
      throw new ShardError(
        `${folder}: expected shards of the tokenizer ${options.tokenizerHash.slice(0, 12)}, received ` +
          `${index.tokenizerHash.slice(0, 12)}; prepare the data with the model's own tokenizer`,
      );
    }
    for (const shard of index.shards) await checkSize(path.join(folder, shard.file), shard.bytes);
    await checkSize(path.join(folder, index.lengths.file), index.lengths.bytes);
    return new ShardReader(folder, index, options);
  }

  /** One batch, from the cache or from disk. @throws ShardError when it is missing, cut off or damaged. */
  readBatch(number: number): Promise<BatchColumns> {
    const place = this.batches[number];
    if (!place)
      throw new ShardError(`${this.folder}: expected a batch of 0..${this.batches.length - 1}, received ${number}`);
    return this.cache.get(number, place.bytes, () => this.load(place));
  }

  /** Document i of the whole set. @throws ShardError as `readBatch`. */
  async document(number: number): Promise<StoredDocument> {
    if (!(Number.isInteger(number) && number >= 0 && number < this.index.documents)) {
      throw new ShardError(`${this.folder}: expected a document of 0..${this.index.documents - 1}, received ${number}`);
    }
    const batch = this.batchOf(number);
    return slice(await this.readBatch(batch), number - this.batches[batch]!.firstDocument);
  }

  /** The number of the batch that holds a document. */
  batchOf(document: number): number {
    let low = 0;
    let high = this.batches.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.batches[middle]!.firstDocument <= document) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Lengths in tokens of the documents of batches [from, to). @throws ShardError when the lengths file is damaged. */
  async lengths(from: number, to: number): Promise<Uint32Array> {
    const places = this.batches.slice(from, to);
    const numDocuments = places.reduce((total, place) => total + place.documents, 0);
    const { file } = this.index.lengths;
    const bytes = await this.readBytes(file, 4 * (places[0]?.firstDocument ?? 0), 4 * numDocuments);
    let offset = 0;
    for (const place of places) {
      const part = bytes.subarray(offset, (offset += 4 * place.documents));
      if (crc32(part) !== place.lengthsCrc32) {
        throw new ShardError(
          `${path.join(this.folder, file)}: the lengths of ${describe(place)} are damaged (CRC-32 differs); run prepare again`,
        );
      }
    }
    return Uint32Array.from({ length: numDocuments }, (_, i) => bytes.readUInt32LE(4 * i));
  }

  private async load(place: BatchPlace): Promise<BatchColumns> {
    const file = path.join(this.folder, place.shard);
    const message = await this.readBytes(place.shard, place.offset, place.bytes, describe(place));
    if (crc32(message) !== place.crc32) {
      throw new ShardError(
        `${file}: ${describe(place)} is damaged (CRC-32 differs from the index); run prepare again or restore the file`,
      );
    }
    try {
      const columns = decodeBatch(this.schema, message);
      if (columns.offsets.length !== place.documents + 1)
        throw new Error('the number of documents differs from the index');
      return columns;
    } catch (cause) {
      throw new ShardError(
        `${file}: ${describe(place)} cannot be decoded: ${(cause as Error).message}; run prepare again`,
        { cause },
      );
    }
  }

  private async readBytes(name: string, position: number, length: number, what = 'its data'): Promise<Buffer> {
    const file = path.join(this.folder, name);
    requireFile(file);
    const handle = await open(file, 'r').catch((cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'ENOENT' ? 'the file is missing' : cause.message;
      throw new ShardError(`${file}: ${why}; restore it or run prepare again`, { cause });
    });
    try {
      const bytes = Buffer.allocUnsafeSlow(length);
      let done = 0;
      while (done < length) {
        const { bytesRead } = await handle.read(bytes, done, length - done, position + done);
        if (bytesRead === 0) {
          throw new ShardError(
            `${file}: truncated: ${what} needs ${position + length} bytes, the file has ${position + done}; run prepare again`,
          );
        }
        done += bytesRead;
      }
      return bytes;
    } finally {
      await handle.close();
    }
  }
}

/** Document `number` of a batch. */
export function slice(columns: BatchColumns, number: number): StoredDocument {
  const start = columns.offsets[number]!;
  const end = columns.offsets[number + 1]!;
  const ids = columns.ids.subarray(start, end);
  return columns.mask ? { ids, mask: columns.mask.subarray(start, end) } : { ids };
}

function describe(place: BatchPlace): string {
  return `batch ${place.numberInShard} (documents ${place.firstDocument}-${place.firstDocument + place.documents - 1})`;
}

async function checkSize(file: string, expected: number): Promise<void> {
  const information = await stat(file).catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === 'ENOENT' ? 'the file is missing' : cause.message;
    throw new ShardError(`${file}: ${why}; restore it or run prepare again`, { cause });
  });
  if (information.size === expected) return;
  const what = information.size < expected ? 'truncated' : 'changed';
  throw new ShardError(
    `${file}: ${what}: expected ${expected} bytes, received ${information.size}; restore it or run prepare again`,
  );
}
