import type { ShardReader } from '../shards/shard-reader.js';

/** Consecutive record batches whose documents are packed together. */
export interface DocumentGroup {
  firstBatch: number;
  /** One past the last batch. */
  endBatch: number;
  firstDocument: number;
  documents: number;
  tokens: number;
}

/** Tokens of a group, at least: a few megabytes, so that packing is dense and reading local. */
export const GROUP_TOKENS = 2 * 2 ** 20;

/** Cuts a shard set into groups of whole record batches of at least `groupTokens` tokens each (but the last). */
export function groupBatches(reader: ShardReader, groupTokens = GROUP_TOKENS): DocumentGroup[] {
  const groups: DocumentGroup[] = [];
  for (const [number, batch] of reader.batches.entries()) {
    let group = groups.at(-1);
    if (!group || group.tokens >= groupTokens) {
      group = { firstBatch: number, endBatch: number, firstDocument: batch.firstDocument, documents: 0, tokens: 0 };
      groups.push(group);
    }
    group.endBatch = number + 1;
    group.documents += batch.documents;
    group.tokens += batch.tokens;
  }
  return groups;
}
