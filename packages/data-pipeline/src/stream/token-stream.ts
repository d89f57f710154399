import type { RowOrigin } from '../packing/row-set.js';

/**
 * B rows of T tokens, row major: what a training step consumes.
 *
 * A row holds one or more whole documents or pieces of documents, and padding at its end if it is not full.
 * Attention of the token at row-local index i sees exactly the row-local indexes `first[i]..last[i]`.
 */
export interface Batch {
  /** [B*T] token ids; padding tokens hold the padding id (0 unless the tokenizer names another). */
  ids: Int32Array;
  /** [B*T] the next token of the same document, -1 where the position has no target. */
  targets: Int32Array;
  /** [B*T] restarts at 0 in each document (or piece of a document) of the row. */
  positions: Int32Array;
  /** [B*T] row-local index of the first token of the token's document; a padding token sees itself only. */
  first: Int32Array;
  /** [B*T] the token's own row-local index (causal attention). */
  last: Int32Array;
  /** B. */
  numRows: number;
  /** T. */
  rowLength: number;
  /** How many entries of `targets` are not -1. */
  numTargets: number;
  /** What the batch is made of, for error messages: "demo/train/shard-00000 docs 12-17". */
  documents: string[];
  /** Where each row comes from; rows made by hand come from nowhere. */
  origins?: RowOrigin[];
}

/** An endless deterministic sequence of rows: row i is a pure function of (seed, i), so every seek is O(1). */
export interface TokenStream {
  /** Rows per epoch. Row i belongs to epoch floor(i / numRows). */
  readonly numRows: number;
  /** Tokens per row. */
  readonly rowLength: number;
  /** Rows [startIndex, startIndex + numRows) of the sequence. */
  batch(startIndex: number, numRows: number): Promise<Batch> | Batch;
  /** Where those rows come from, without reading them. */
  origins(startIndex: number, numRows: number): RowOrigin[];
}
