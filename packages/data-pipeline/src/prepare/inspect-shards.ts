import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import path from 'node:path';
import { Permutation } from '../order/permutation.js';
import { ShardError, type ShardIndex } from '../shards/shard-index.js';
import { ShardReader, slice } from '../shards/shard-reader.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';

/** What to look at besides the counts. */
export interface InspectOptions {
  /** Decodes samples. */
  tokenizer?: Tokenizer;
  /** How many documents to decode. Default 3. */
  samples?: number;
  seed?: number;
}

/** What was found in a shard folder. */
export interface Inspection {
  index: ShardIndex;
  /** Documents by length: those of `from`..`to` tokens, in powers of two. */
  histogram: { from: number; to: number; documents: number }[];
  minLength: number;
  maxLength: number;
  meanLength: number;
  samples: { document: number; tokens: number; text: string }[];
  /** What is wrong, one line each; empty when every checksum, count and id is right. */
  problems: string[];
}

/** Reads a whole shard folder and verifies it. @throws ShardError only when the index itself cannot be read. */
export async function inspectShards(folder: string, options: InspectOptions = {}): Promise<Inspection> {
  const expectedHash = options.tokenizer?.hash;
  const reader = await ShardReader.open(folder, expectedHash === undefined ? {} : { tokenizerHash: expectedHash });
  const problems = [...(await verifyFiles(reader)), ...(await verifyBatches(reader))];
  const lengths = await reader.lengths(0, reader.batches.length).catch(collect(problems));
  const numDocuments = reader.index.documents;
  return {
    index: reader.index,
    histogram: histogramOf(lengths ?? new Uint32Array()),
    minLength: lengths?.reduce((least, length) => Math.min(least, length), Infinity) ?? 0,
    maxLength: lengths?.reduce((most, length) => Math.max(most, length), 0) ?? 0,
    meanLength: numDocuments === 0 ? 0 : reader.index.tokens / numDocuments,
    samples: options.tokenizer && problems.length === 0 ? await decodeSamples(reader, options.tokenizer, options) : [],
    problems,
  };
}

async function verifyFiles(reader: ShardReader): Promise<string[]> {
  const problems: string[] = [];
  for (const shard of reader.index.shards) {
    const file = path.join(reader.folder, shard.file);
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
    if (hash.digest('hex') !== shard.sha256)
      problems.push(`${file}: SHA-256 differs from the index; restore it or run prepare again`);
  }
  return problems;
}

async function verifyBatches(reader: ShardReader): Promise<string[]> {
  const problems: string[] = [];
  for (const [number, place] of reader.batches.entries()) {
    const columns = await reader.readBatch(number).catch(collect(problems));
    if (!columns) continue;
    const wrong = columns.ids.findIndex((id) => id >= reader.index.vocabSize);
    if (wrong >= 0)
      problems.push(`${reader.folder}: batch ${number} holds the id ${columns.ids[wrong]}, beyond the vocabulary`);
    // A conversation ends as its template ends it, which need not be EOS.
    if (reader.index.hasTargetsMask) continue;
    const open = Array.from({ length: place.documents }, (_, i) => slice(columns, i).ids.at(-1)).findIndex(
      (id) => id !== reader.index.eosId,
    );
    if (open >= 0) problems.push(`${reader.folder}: document ${place.firstDocument + open} does not end with EOS`);
  }
  return problems;
}

function collect(problems: string[]): (error: unknown) => undefined {
  return (error) => {
    if (!(error instanceof ShardError)) throw error;
    problems.push(error.message);
  };
}

function histogramOf(lengths: Uint32Array): Inspection['histogram'] {
  const counts = new Map<number, number>();
  for (const length of lengths) {
    const power = Math.floor(Math.log2(length));
    counts.set(power, (counts.get(power) ?? 0) + 1);
  }
  return [...counts]
    .sort((a, b) => a[0] - b[0])
    .map(([power, documents]) => ({ from: 2 ** power, to: 2 ** (power + 1) - 1, documents }));
}

async function decodeSamples(
  reader: ShardReader,
  tokenizer: Tokenizer,
  options: InspectOptions,
): Promise<Inspection['samples']> {
  const { documents } = reader.index;
  const count = Math.min(documents, options.samples ?? 3);
  const samples: Inspection['samples'] = [];
  for (let i = 0; i < count; i++) {
    const document = new Permutation(documents, options.seed ?? 0).at(i);
    const { ids } = await reader.document(document);
    samples.push({ document, tokens: ids.length, text: await tokenizer.decode(ids) });
  }
  return samples;
}
