import { Permutation } from '../order/permutation.js';
import { ShardReader, type StoredDocument } from '../shards/shard-reader.js';

/** Decides which documents are taken. */
const SAMPLE_SEED = 1;

/**
 * Documents of shards, about `tokens` tokens in all and an equal part from each folder: all of them where they are fewer.
 * The same ones every time. @throws ShardError as `ShardReader`.
 */
export async function sampleDocuments(folders: readonly string[], tokens: number): Promise<StoredDocument['ids'][]> {
  const sampled: StoredDocument['ids'][] = [];
  for (const folder of folders) {
    const reader = await ShardReader.open(folder);
    const { documents, tokens: all } = reader.index;
    if (documents === 0) continue;
    const count = Math.min(documents, Math.ceil((documents * tokens) / folders.length / all));
    const order = new Permutation(documents, SAMPLE_SEED);
    const numbers = Array.from({ length: count }, (_, i) => (count === documents ? i : order.at(i)));
    // In stored order, so that every batch is read once.
    for (const number of numbers.toSorted((a, b) => a - b)) sampled.push((await reader.document(number)).ids.slice());
  }
  return sampled;
}
