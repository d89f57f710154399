import { createHash } from 'node:crypto';
import { open, readdir, rm, rmdir, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { makeFolder, syncPath, writeFileAtomically, writing } from '@lethe/run';
import { encodeBatch, encodeSchema, END_OF_STREAM } from './arrow-batch.js';
import { crc32 } from './crc32.js';
import {
  chooseIdType,
  formatShardIndex,
  INDEX_FILE,
  ShardError,
  type IdType,
  type ShardEntry,
  type ShardIndex,
} from './shard-index.js';
import { reopen, reopenShard, type OpenShard, type WriterState } from './writer-state.js';

/** What shards hold and how they are cut. */
export interface ShardWriterOptions {
  vocabSize: number;
  tokenizerHash: string;
  eosId: number;
  /** Id of padding tokens in packed rows. Default 0. */
  padId?: number;
  /** Documents come with a target mask. Default false. */
  hasTargetsMask?: boolean;
  /** Default: the smallest that holds the vocabulary. */
  idType?: IdType;
  /** Ids of one record batch, in bytes. Default 4 MiB, at most 64 MiB. */
  batchBytes?: number;
  /** Size at which a shard is closed and the next begun, in bytes. Default 256 MiB. */
  shardBytes?: number;
}

/** Largest record batch, in bytes of ids. */
export const MAX_BATCH_BYTES = 64 * 2 ** 20;

const LENGTHS_FILE = 'lengths.bin';
/** Its own files, and what was made of them. */
const WRITTEN = /^(shard-\d+\.arrow|lengths\.bin|packing-.*\.bin|\.original-[0-9a-f]+)$/;

/** Removes what an earlier or abandoned writer put into a folder. */
async function removeShards(folder: string): Promise<void> {
  const written = (await readdir(folder)).filter((name) => WRITTEN.test(name));
  for (const name of written) await rm(path.join(folder, name), { recursive: true });
}

/**
 * Writes documents to Arrow IPC stream shards. Nothing counts as written before `finish`, which puts `index.json` in
 * place last; an interrupted write leaves a folder without index. Memory is bounded by one record batch.
 */
export class ShardWriter {
  private readonly shards: ShardEntry[] = [];
  private readonly idType: IdType;
  private readonly bytesPerId: number;
  private readonly batchBytes: number;
  private readonly schema: Buffer;
  /** The record batch that fills: ids and mask of its documents one after another, and their lengths. */
  private ids: Uint16Array | Uint32Array;
  private mask: Uint8Array;
  private pending: number[] = [];
  private pendingTokens = 0;
  private shard: OpenShard | undefined;
  private numDocuments = 0;
  private numTokens = 0;

  private constructor(
    private readonly folder: string,
    private readonly options: ShardWriterOptions,
    private readonly lengths: FileHandle,
  ) {
    this.idType = chooseIdType(options.vocabSize, options.idType);
    this.bytesPerId = this.idType === 'uint16' ? 2 : 4;
    this.batchBytes = options.batchBytes ?? 4 * 2 ** 20;
    this.schema = encodeSchema(this.idType, options.hasTargetsMask ?? false);
    this.ids = this.newIds(0);
    this.mask = new Uint8Array(0);
  }

  /** Prepares a folder, removing the index and shards of an earlier run from it. @throws ShardError on bad options. */
  static async create(folder: string, options: ShardWriterOptions): Promise<ShardWriter> {
    chooseIdType(options.vocabSize, options.idType);
    const { batchBytes = 1, shardBytes = 1 } = options;
    if (!(batchBytes >= 1 && batchBytes <= MAX_BATCH_BYTES && shardBytes >= 1)) {
      throw new ShardError(`expected batchBytes of 1 to ${MAX_BATCH_BYTES}, received ${batchBytes}`);
    }
    if (!(options.eosId >= 0 && options.eosId < options.vocabSize)) {
      throw new ShardError(`expected an eosId in 0..${options.vocabSize - 1}, received ${options.eosId}`);
    }
    makeFolder(folder);
    await rm(path.join(folder, INDEX_FILE), { force: true });
    await removeShards(folder);
    return new ShardWriter(folder, options, await open(path.join(folder, LENGTHS_FILE), 'w'));
  }

  /**
   * Goes on after {@link checkpoint}: what was written later is cut off.
   * @throws ShardError when the files do not hold what the checkpoint says.
   */
  static async resume(folder: string, options: ShardWriterOptions, state: WriterState): Promise<ShardWriter> {
    await rm(path.join(folder, INDEX_FILE), { force: true }); // of a preparation that was broken off at its very end
    const reopened = await reopen(folder, LENGTHS_FILE, 4 * state.documents);
    const writer = new ShardWriter(folder, options, reopened);
    try {
      const { shard: entry } = state;
      if (entry) writer.shard = await reopenShard(folder, entry);
      for (const { file, bytes } of state.shards) await (await reopen(folder, file, bytes)).close();
    } catch (error) {
      await writer.suspend();
      throw error;
    }
    writer.shards.push(...state.shards);
    writer.numDocuments = state.documents;
    writer.numTokens = state.tokens;
    return writer;
  }

  /** Writes everything added so far to disk; {@link resume} goes on from there. */
  async checkpoint(): Promise<WriterState> {
    await this.flush();
    await this.lengths.sync();
    await this.shard?.handle.sync();
    syncPath(this.folder);
    const shard = this.shard && structuredClone(this.shard.entry);
    const { numDocuments: documents, numTokens: tokens } = this;
    return { shards: [...this.shards], ...(shard ? { shard } : {}), documents, tokens };
  }

  /** Closes the files and leaves them for {@link resume}, without an index. */
  async suspend(): Promise<void> {
    await this.lengths.close();
    await this.shard?.handle.close();
    this.shard = undefined;
  }

  /** Whether a document of so many tokens (EOS not counted) fits a record batch. */
  fits(numTokens: number): boolean {
    return (numTokens + 1) * this.bytesPerId <= MAX_BATCH_BYTES;
  }

  /**
   * Adds one document, appending EOS if it does not end with it and is not closed otherwise, and returns its length.
   * @throws ShardError for ids outside the vocabulary, or a document that fits no batch.
   */
  async add(ids: Int32Array, mask?: Uint8Array, isClosed = false): Promise<number> {
    this.check(ids, mask);
    const needsEos = !isClosed && ids[ids.length - 1] !== this.options.eosId;
    const tokens = ids.length + Number(needsEos);
    if (!this.fits(tokens - 1)) {
      throw new ShardError(
        `document ${this.numDocuments} has ${tokens} tokens; at most ${MAX_BATCH_BYTES / this.bytesPerId} fit a batch; split it`,
      );
    }
    const isFull = (this.pendingTokens + tokens) * this.bytesPerId > this.batchBytes;
    if (isFull && this.pending.length > 0) await this.flush();
    this.makeRoom(tokens);
    const end = this.pendingTokens + ids.length;
    this.ids.set(ids, this.pendingTokens);
    if (mask) this.mask.set(mask, this.pendingTokens);
    if (needsEos) {
      this.ids[end] = this.options.eosId;
      if (mask) this.mask[end] = mask[mask.length - 1]!;
    }
    this.pending.push(tokens);
    this.pendingTokens += tokens;
    this.numDocuments++;
    this.numTokens += tokens;
    return tokens;
  }

  /** Writes what is left, then the index. */
  async finish(): Promise<ShardIndex> {
    await this.flush();
    await this.closeShard();
    await this.lengths.sync();
    await this.lengths.close();
    const { vocabSize, tokenizerHash, eosId, padId = 0, hasTargetsMask = false } = this.options;
    const index: ShardIndex = {
      format: 'lethe-shards',
      version: 1,
      idType: this.idType,
      vocabSize,
      tokenizerHash,
      eosId,
      padId,
      hasTargetsMask,
      lengths: { file: LENGTHS_FILE, bytes: 4 * this.numDocuments },
      documents: this.numDocuments,
      tokens: this.numTokens,
      shards: this.shards,
    };
    writeFileAtomically(path.join(this.folder, INDEX_FILE), formatShardIndex(index));
    return index;
  }

  /** Gives up: removes what was written, and the folder if nothing else is in it. */
  async abandon(): Promise<void> {
    await this.suspend();
    await removeShards(this.folder);
    if ((await readdir(this.folder)).length === 0) await rmdir(this.folder);
  }

  private check(ids: Int32Array, mask: Uint8Array | undefined): void {
    const wrong = firstOutside(ids, this.options.vocabSize);
    if (ids.length === 0) throw new ShardError(`document ${this.numDocuments}: expected tokens, received none`);
    if (wrong >= 0) {
      throw new ShardError(
        `document ${this.numDocuments}, token ${wrong}: expected an id in 0..${this.options.vocabSize - 1}, received ${ids[wrong]}`,
      );
    }
    const expected = this.options.hasTargetsMask ? ids.length : undefined;
    if (mask?.length !== expected) {
      throw new ShardError(
        `document ${this.numDocuments}: expected a mask of length ${expected}, received ${mask?.length}`,
      );
    }
  }

  private newIds(length: number): Uint16Array | Uint32Array {
    return this.idType === 'uint16' ? new Uint16Array(length) : new Uint32Array(length);
  }

  /** Room for a document's tokens behind what the batch has: it grows up to `batchBytes`, or to one document that is larger. */
  private makeRoom(tokens: number): void {
    const wanted = this.pendingTokens + tokens;
    if (wanted <= this.ids.length) return;
    const length = Math.max(wanted, Math.min(2 * wanted, Math.floor(this.batchBytes / this.bytesPerId)));
    const ids = this.newIds(length);
    ids.set(this.ids.subarray(0, this.pendingTokens));
    this.ids = ids;
    if (!this.options.hasTargetsMask) return;
    const mask = new Uint8Array(length);
    mask.set(this.mask.subarray(0, this.pendingTokens));
    this.mask = mask;
  }

  private async flush(): Promise<void> {
    const { pending, pendingTokens } = this;
    if (pending.length === 0) return;
    const offsets = new Int32Array(pending.length + 1);
    const lengths = Buffer.alloc(4 * pending.length);
    for (const [i, length] of pending.entries()) {
      offsets[i + 1] = offsets[i]! + length;
      lengths.writeUInt32LE(length, 4 * i);
    }
    this.pending = [];
    this.pendingTokens = 0;
    const ids = this.ids.subarray(0, pendingTokens);
    const mask = this.options.hasTargetsMask ? this.mask.subarray(0, pendingTokens) : undefined;
    await this.writeBatch(encodeBatch(mask ? { offsets, ids, mask } : { offsets, ids }), lengths, pendingTokens);
  }

  private async writeBatch(message: Buffer, lengths: Buffer, tokens: number): Promise<void> {
    const limit = this.options.shardBytes ?? 256 * 2 ** 20;
    if (this.shard && this.shard.entry.bytes + message.length > limit) await this.closeShard();
    const shard = (this.shard ??= await this.openShard());
    const batch = {
      offset: shard.entry.bytes,
      bytes: message.length,
      documents: lengths.length / 4,
      tokens,
      crc32: crc32(message),
      lengthsCrc32: crc32(lengths),
    };
    await this.append(message);
    await writing(path.join(this.folder, LENGTHS_FILE), () => this.lengths.appendFile(lengths), lengths.length);
    shard.entry.batches.push(batch);
  }

  private async openShard(): Promise<OpenShard> {
    const file = `shard-${String(this.shards.length).padStart(5, '0')}.arrow`;
    const handle = await open(path.join(this.folder, file), 'w');
    this.shard = { handle, hash: createHash('sha256'), entry: { file, bytes: 0, sha256: '', batches: [] } };
    await this.append(this.schema);
    return this.shard;
  }

  private async append(bytes: Buffer): Promise<void> {
    const { handle, hash, entry } = this.shard!;
    await writing(path.join(this.folder, entry.file), () => handle.appendFile(bytes), bytes.length);
    hash.update(bytes);
    entry.bytes += bytes.length;
  }

  private async closeShard(): Promise<void> {
    if (!this.shard) return;
    await this.append(END_OF_STREAM);
    const { handle, hash, entry } = this.shard;
    await handle.sync();
    await handle.close();
    this.shards.push({ ...entry, sha256: hash.digest('hex') });
    this.shard = undefined;
  }
}

/** Where the first id below 0 or beyond the vocabulary is, or -1: a loop, since it looks at every token. */
function firstOutside(ids: Int32Array, vocabSize: number): number {
  for (let i = 0; i < ids.length; i++) if (ids[i]! < 0 || ids[i]! >= vocabSize) return i;
  return -1;
}
