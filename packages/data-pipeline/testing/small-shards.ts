import { ShardWriter, type ShardWriterOptions } from '../src/shards/shard-writer.js';

/** Ids below this are never in documents: 0 pads, 1 begins, 2 ends. */
export const EOS = 2;

/** Document i: every token tells which document and position it comes from (for i < 600 and positions < 100). */
export function numberedDocument(i: number, length: number): Int32Array {
  return Int32Array.from({ length }, (_, k) => (k === length - 1 ? EOS : 100 * (i + 1) + k));
}

/** Lengths in 2..70, mostly short. */
export function sampleLength(i: number): number {
  return 2 + ((i * i * 7 + 13 * i) % 69);
}

/** Writes `count` numbered documents in many small batches and several shards. */
export async function writeNumbered(folder: string, count: number, options: Partial<ShardWriterOptions> = {}) {
  const writer = await ShardWriter.create(folder, {
    vocabSize: 60_200,
    tokenizerHash: 'a'.repeat(64),
    eosId: EOS,
    batchBytes: 800,
    shardBytes: 6000,
    ...options,
  });
  for (let i = 0; i < count; i++) {
    const ids = numberedDocument(i, sampleLength(i));
    await writer.add(ids, options.hasTargetsMask ? Uint8Array.from(ids, (id) => id % 2) : undefined);
  }
  return writer.finish();
}
