import { sequences, type Tokenizer } from '@lethe/data-pipeline';

/** How much is read of shards. */
export interface ReadLimits {
  documents: number;
  maxLength: number;
  /** Of the order; default 1. */
  seed?: number;
}

/** Documents of shards in an order of their own, cut to a length; those of a single token are left out. */
export async function readSequences(
  shards: string,
  tokenizer: Tokenizer,
  { documents, maxLength, seed = 1 }: ReadLimits,
): Promise<Int32Array[]> {
  const read: Int32Array[] = [];
  const options = { shards, maxLength, maxDocuments: documents, seed, tokenizerHash: tokenizer.hash };
  for await (const { ids } of sequences(options)) if (ids.length > 1) read.push(ids);
  return read;
}
