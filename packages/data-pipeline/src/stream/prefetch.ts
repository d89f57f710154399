import type { Batch, TokenStream } from './token-stream.js';

/** What to read ahead. */
export interface PrefetchOptions {
  /** First row. */
  start: number;
  /** Rows per batch. */
  numRows: number;
  /** Rows from one batch's start to the next one's; larger than `numRows` when ranks share the rows. */
  stride?: number;
  /** Batches in preparation beyond the one in use. Default 2. */
  ahead?: number;
  /** Batches in all. Default: without end. */
  count?: number;
}

/** Yields batches in order while the next ones are read. */
export async function* prefetch(stream: TokenStream, options: PrefetchOptions): AsyncGenerator<Batch> {
  const { start, numRows, stride = numRows, ahead = 2, count = Infinity } = options;
  const waiting: Promise<Batch>[] = [];
  for (let step = 0; step < count; step++) {
    while (waiting.length <= ahead && step + waiting.length < count) {
      const batch = Promise.resolve(stream.batch(start + (step + waiting.length) * stride, numRows));
      batch.catch(() => undefined); // reported when its turn comes, below
      waiting.push(batch);
    }
    yield await waiting.shift()!;
  }
}
