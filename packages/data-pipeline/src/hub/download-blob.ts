import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { explainWriteError, makeFolder, syncPath, WriteError, writing } from '@lethe/run';
import { SourceError } from '../documents/document.js';

/** What the hub says a file's bytes are. */
export interface BlobDescription {
  url: string;
  size: number;
  /** Hexadecimal; SHA-256 of large files, git's SHA-1 of a blob for others. */
  hash: string;
  isSha256: boolean;
}

const ATTEMPTS = 3;

/**
 * Downloads a blob to `file` unless it is there, going on with `file.incomplete` if an earlier download left one.
 * @throws SourceError when the hub refuses, the connection keeps breaking, or the bytes have another hash.
 */
export async function downloadBlob(
  blob: BlobDescription,
  file: string,
  headers: Record<string, string>,
): Promise<void> {
  if ((await sizeOf(file)) === blob.size) return;
  const incomplete = `${file}.incomplete`;
  makeFolder(path.dirname(file));
  for (let attempt = 1; (await sizeOf(incomplete)) !== blob.size; attempt++) {
    try {
      await append(blob, incomplete, headers);
    } catch (cause) {
      const problem = explainWriteError(cause, incomplete);
      if (problem instanceof WriteError || problem instanceof SourceError) throw problem;
      if (attempt < ATTEMPTS) continue;
      throw new SourceError(
        `${blob.url}: the download broke off ${ATTEMPTS} times: ${reasonOf(cause)}; the same command goes on with it`,
        { cause },
      );
    }
  }
  const received = await hashOf(incomplete, blob);
  if (received !== blob.hash) {
    await rm(incomplete);
    throw new SourceError(`${blob.url}: expected bytes of hash ${blob.hash}, received ${received}; try again`);
  }
  writing(file, () => syncPath(incomplete));
  await rename(incomplete, file);
}

async function append(blob: BlobDescription, incomplete: string, headers: Record<string, string>): Promise<void> {
  if (blob.size === 0) return writeFile(incomplete, '');
  const have = await sizeOf(incomplete);
  const isPart = have > 0 && have < blob.size;
  const response = await fetch(blob.url, { headers: isPart ? { ...headers, Range: `bytes=${have}-` } : headers });
  if (!response.ok || !response.body) throw refusal(blob.url, response.status);
  const flags = isPart && response.status === 206 ? 'a' : 'w';
  await pipeline(
    Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]),
    createWriteStream(incomplete, { flags }),
  );
  const size = await sizeOf(incomplete);
  if (size !== blob.size) throw new Error(`expected ${blob.size} bytes, received ${size}`);
}

/** What a refused request means. */
export function refusal(url: string, status: number): SourceError {
  const remedy =
    status === 401 || status === 403
      ? 'it is private or gated: set HF_TOKEN to a token that may read it'
      : status === 404
        ? 'check the name, the revision and the path'
        : 'try again later';
  return new SourceError(`${url}: the hub answered ${status}; ${remedy}`);
}

/** The reason of a failed fetch, which hides it in its cause. */
export function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}

async function hashOf(file: string, { size, isSha256 }: BlobDescription): Promise<string> {
  const hash = createHash(isSha256 ? 'sha256' : 'sha1');
  if (!isSha256) hash.update(`blob ${size}\0`);
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** -1 where there is no such file. */
async function sizeOf(file: string): Promise<number> {
  return (await stat(file).catch(() => undefined))?.size ?? -1;
}
