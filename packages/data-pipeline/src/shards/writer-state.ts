import { createHash, type Hash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { ShardError, type ShardEntry } from './shard-index.js';

/** What a writer had on disk at a checkpoint. */
export interface WriterState {
  /** Closed shards. */
  shards: ShardEntry[];
  /** The shard that was open. */
  shard?: ShardEntry;
  documents: number;
  tokens: number;
}

/** A shard while it is written. */
export interface OpenShard {
  handle: FileHandle;
  hash: Hash;
  entry: ShardEntry;
}

const CHUNK_BYTES = 2 ** 20;

/** Opens a file to append after its first `bytes`, and cuts off the rest. @throws ShardError when it is shorter. */
export async function reopen(folder: string, name: string, bytes: number): Promise<FileHandle> {
  const file = path.join(folder, name);
  const handle = await open(file, 'r+').catch((cause: Error) => {
    throw new ShardError(`${file}: cannot go on writing it: ${cause.message}; prepare with --force`, { cause });
  });
  const { size } = await handle.stat();
  if (size < bytes) {
    await handle.close();
    throw new ShardError(`${file}: expected ${bytes} bytes to go on after, received ${size}; prepare with --force`);
  }
  await handle.truncate(bytes);
  await handle.close();
  return open(file, 'a');
}

/** Opens a shard to go on after a checkpoint; its hash is computed again from its bytes. */
export async function reopenShard(folder: string, entry: ShardEntry): Promise<OpenShard> {
  const handle = await reopen(folder, entry.file, entry.bytes);
  const hash = createHash('sha256');
  const reader = await open(path.join(folder, entry.file), 'r');
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  try {
    for (let done = 0; done < entry.bytes;) {
      const { bytesRead } = await reader.read(chunk, 0, Math.min(CHUNK_BYTES, entry.bytes - done), done);
      hash.update(chunk.subarray(0, bytesRead));
      done += bytesRead;
    }
  } finally {
    await reader.close();
  }
  return { handle, hash, entry: structuredClone(entry) };
}
