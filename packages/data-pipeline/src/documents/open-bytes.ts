import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { readingProblem, specialKind } from '@lethe/run';
import { SourceError } from './document.js';

/** A file's decompressed bytes, with the first of them to look at. */
export interface OpenBytes {
  head: Buffer;
  chunks: AsyncIterable<Buffer>;
  isGzip: boolean;
  /** Closes the file; reading `chunks` to the end, or leaving the loop over them, does so too. */
  close(): void;
}

const HEAD_BYTES = 64 * 1024;
const CHUNK_BYTES = 1 << 20;

/**
 * Opens a file, or standard input for `-`, decompressing gzip.
 * `onBytes` is told how many bytes were read from the file, before decompression.
 * @throws SourceError when it is missing, empty, not a file, or not readable.
 */
export async function openBytes(file: string, onBytes?: (bytes: number) => void): Promise<OpenBytes> {
  const raw = await peek(file === '-' ? process.stdin : await openFile(file), file, onBytes);
  if (raw.head.length === 0) throw new SourceError(`${file}: expected data, received an empty file`);
  const isGzip = raw.head[0] === 0x1f && raw.head[1] === 0x8b;
  if (!isGzip) return { ...raw, isGzip };
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  void pump(raw.chunks, gunzip);
  const unpacked = await peek(gunzip, file);
  if (unpacked.head.length === 0) throw new SourceError(`${file}: expected data, received an empty gzip file`);
  return { ...unpacked, isGzip };
}

async function openFile(file: string): Promise<Readable> {
  const information = await stat(file).catch((cause: NodeJS.ErrnoException) => {
    throw new SourceError(`${file}: ${readingProblem(cause)}`, { cause });
  });
  const kind = specialKind(information);
  if (kind) throw new SourceError(`${file}: expected a file, received ${kind}`);
  return createReadStream(file, { highWaterMark: CHUNK_BYTES });
}

async function peek(
  stream: Readable,
  file: string,
  onBytes?: (bytes: number) => void,
): Promise<Omit<OpenBytes, 'isGzip'>> {
  const iterator = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const next = async () => {
    try {
      const result = await iterator.next();
      if (!result.done) onBytes?.(result.value.length);
      return result;
    } catch (cause) {
      throw new SourceError(`${file}: reading failed: ${readingProblem(cause)}`, { cause });
    }
  };
  const seen: Buffer[] = [];
  let length = 0;
  let isDone = false;
  while (length < HEAD_BYTES && !isDone) {
    const result = await next();
    if (result.done) isDone = true;
    else {
      seen.push(result.value);
      length += result.value.length;
    }
  }
  const head = Buffer.concat(seen);
  async function* chunks(): AsyncGenerator<Buffer> {
    try {
      if (head.length > 0) yield head;
      for (let result = isDone ? undefined : await next(); result && !result.done; result = await next())
        yield result.value;
    } finally {
      stream.destroy();
    }
  }
  return { head: head.subarray(0, HEAD_BYTES), chunks: chunks(), close: () => void stream.destroy() };
}

/** Feeds a transform with back-pressure; a reading error surfaces where the transform is read. */
async function pump(chunks: AsyncIterable<Buffer>, target: ReturnType<typeof createGunzip>): Promise<void> {
  try {
    for await (const chunk of chunks) {
      if (target.destroyed) return;
      if (!target.write(chunk)) {
        await new Promise<void>((resolve) => {
          target.once('drain', resolve).once('close', resolve);
        });
      }
    }
    target.end();
  } catch (error) {
    target.destroy(error as Error);
  }
}
