import { ShardReader, slice, type StoredDocument } from './shard-reader.js';
import { ShardWriter } from './shard-writer.js';

/** What was written: tokens that were targets before, and those that still are. */
export interface MaskedShards {
  documents: number;
  /** Documents that have a target left. */
  documentsWithTargets: number;
  tokens: number;
  targets: number;
}

/**
 * Copies shards with fewer targets: a token stays one where it was one and `mark` says 1. A document's first token is never
 * predicted, and does not count.
 * @throws ShardError as `ShardReader` and `ShardWriter`.
 */
export async function maskShards(
  from: string,
  to: string,
  mark: (document: StoredDocument) => Uint8Array,
): Promise<MaskedShards> {
  const reader = await ShardReader.open(from);
  const { vocabSize, tokenizerHash, eosId, padId, idType } = reader.index;
  const writer = await ShardWriter.create(to, { vocabSize, tokenizerHash, eosId, padId, idType, hasTargetsMask: true });
  const masked: MaskedShards = { documents: 0, documentsWithTargets: 0, tokens: 0, targets: 0 };
  for (const [number, { documents }] of reader.batches.entries()) {
    const columns = await reader.readBatch(number);
    for (let i = 0; i < documents; i++) {
      const document = slice(columns, i);
      const marks = mark(document);
      let [tokens, targets] = [0, 0];
      for (let t = 0; t < marks.length; t++) {
        const was = document.mask?.[t] ?? 1;
        marks[t]! &= was;
        if (t === 0) continue;
        tokens += was;
        targets += marks[t]!;
      }
      await writer.add(Int32Array.from(document.ids), marks, true);
      masked.documents++;
      masked.documentsWithTargets += targets > 0 ? 1 : 0;
      masked.tokens += tokens;
      masked.targets += targets;
    }
  }
  await writer.finish();
  return masked;
}
