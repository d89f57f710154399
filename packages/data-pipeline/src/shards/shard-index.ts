import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { requireFile, UserError } from '@lethe/run';
import { crc32 } from './crc32.js';

/** How ids are stored. */
export type IdType = 'uint16' | 'uint32';

/** One Arrow record batch inside a shard. */
export interface BatchEntry {
  /** Position and size of the batch's message in the shard file, in bytes. */
  offset: number;
  bytes: number;
  documents: number;
  tokens: number;
  /** CRC-32 of the message's bytes. */
  crc32: number;
  /** CRC-32 of the batch's part of the lengths file. */
  lengthsCrc32: number;
}

/** One Arrow IPC stream file. */
export interface ShardEntry {
  file: string;
  bytes: number;
  sha256: string;
  batches: BatchEntry[];
}

/** `index.json`: written last, so its presence says that the shards are whole. */
export interface ShardIndex {
  format: 'lethe-shards';
  version: 1;
  idType: IdType;
  vocabSize: number;
  /** SHA-256 of the tokenizer.json that made the ids. */
  tokenizerHash: string;
  /** Every document ends with this id. */
  eosId: number;
  padId: number;
  /** Whether there is a `targets_mask` column. */
  hasTargetsMask: boolean;
  /** uint32 little-endian length of each document, in order. */
  lengths: { file: string; bytes: number };
  documents: number;
  tokens: number;
  shards: ShardEntry[];
}

/** Raised for shards that are missing, damaged, or do not fit what they are used with. */
export class ShardError extends UserError {}

/** Name of the index inside a shard folder. */
export const INDEX_FILE = 'index.json';

/** The smallest id type for a vocabulary. @throws ShardError when a wanted type is too small. */
export function chooseIdType(vocabSize: number, wanted?: IdType): IdType {
  const limit = wanted === 'uint16' ? 2 ** 16 : 2 ** 32;
  if (!(Number.isInteger(vocabSize) && vocabSize >= 1 && vocabSize <= limit)) {
    throw new ShardError(
      `id type ${wanted ?? 'uint32'}: expected a vocabulary of 1 to ${limit}, received ${vocabSize}; use uint32 for a larger one`,
    );
  }
  return wanted ?? (vocabSize <= 2 ** 16 ? 'uint16' : 'uint32');
}

/** The text of `index.json`: the index and, last, the CRC-32 of all the rest. */
export function formatShardIndex(index: ShardIndex): string {
  return `${JSON.stringify({ ...index, crc32: checksum(index) }, null, 1)}\n`;
}

function checksum(index: ShardIndex): number {
  return crc32(Buffer.from(JSON.stringify(index)));
}

/** Reads and checks `index.json` of a shard folder. @throws ShardError naming the file and the remedy. */
export async function readShardIndex(folder: string): Promise<ShardIndex> {
  const file = path.join(folder, INDEX_FILE);
  requireFile(file);
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT' && cause.code !== 'ENOTDIR') throw cause;
    throw new ShardError(
      `${file}: not found, so ${folder} holds no finished shards; run prepare (again), or name the folder with index.json`,
      { cause },
    );
  });
  let index: ShardIndex;
  let expected: unknown;
  try {
    ({ crc32: expected, ...index } = JSON.parse(text) as ShardIndex & { crc32: unknown });
  } catch (cause) {
    throw new ShardError(`${file}: not valid JSON (${(cause as Error).message}); run prepare again`, { cause });
  }
  const problem =
    findProblem(index) ?? (checksum(index) === expected ? undefined : 'the index is damaged (CRC-32 differs)');
  if (problem !== undefined) throw new ShardError(`${file}: ${problem}; run prepare again`);
  return index;
}

function findProblem(index: ShardIndex): string | undefined {
  if (index?.format !== 'lethe-shards')
    return `expected format "lethe-shards", received ${JSON.stringify(index?.format)}`;
  if (index.version !== 1) return `expected version 1, received ${JSON.stringify(index.version)}`;
  if (index.idType !== 'uint16' && index.idType !== 'uint32') return `unknown idType ${JSON.stringify(index.idType)}`;
  if (!Array.isArray(index.shards)) return 'expected a list of shards';
  if (![index.vocabSize, index.eosId, index.padId, index.documents, index.tokens].every(isCount)) {
    return 'vocabSize, eosId, padId, documents and tokens must be whole numbers';
  }
  if (index.idType === 'uint16' && index.vocabSize > 2 ** 16)
    return `a vocabulary of ${index.vocabSize} does not fit uint16`;
  const batches = index.shards.flatMap((shard) => shard?.batches);
  if (!batches.every((batch) => [batch?.offset, batch?.bytes, batch?.crc32].every(isCount))) {
    return 'a batch has no offset, size or checksum';
  }
  const sum = (key: 'documents' | 'tokens') => batches.reduce((total, batch) => total + batch[key], 0);
  if (sum('documents') !== index.documents)
    return `${index.documents} documents in all, but batches hold ${sum('documents')}`;
  if (sum('tokens') !== index.tokens) return `${index.tokens} tokens in all, but batches hold ${sum('tokens')}`;
  return undefined;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
