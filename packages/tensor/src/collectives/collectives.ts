import { hostname } from 'node:os';
import type * as tf from '@tensorflow/tfjs-core';

/**
 * The processes of a job, called ranks, and what they do together. Every rank must make the same calls in the same order;
 * they are carried out beside other work, those on tensors in their order and those on values in theirs. A rank that ends,
 * or does not come, ends the job on all of them.
 *
 * A tensor is lent until its call is done: whatever uses it waits, so that nobody need wait for the promise but for errors.
 */
export interface Collectives {
  /** This process, from 0 to `size - 1`. */
  readonly rank: number;
  readonly size: number;
  /** What carries the data: `Open MPI v4.1.4`; `none` for a process alone. */
  readonly library: string;
  /** Where each rank runs, by rank. */
  readonly places: readonly { host: string; pid: number }[];
  /** Adds up a tensor over all ranks, in place. All ranks get the same bits. */
  allReduce(tensor: tf.Tensor): Promise<void>;
  /** The same for values on the host. */
  allReduceValues(values: Float32Array): Promise<void>;
  /**
   * Adds up a tensor over all ranks; each gets the sums of the part of its rank, where that is in the whole. The other
   * parts are undefined; what is left at the end, fewer elements than ranks, stays what it was.
   */
  reduceScatter(tensor: tf.Tensor): Promise<void>;
  /** Fills a tensor, of which each rank gives the part of its rank; what is left at the end stays what it was. */
  allGather(tensor: tf.Tensor): Promise<void>;
  /** Makes a tensor that of rank `root`. */
  broadcast(tensor: tf.Tensor, root?: number): Promise<void>;
  /** Sums over all ranks, in double precision. */
  sum(values: readonly number[]): Promise<number[]>;
  /** The texts of all ranks, by rank. */
  gather(text: string): Promise<string[]>;
  /** Waits for all ranks. */
  barrier(): Promise<void>;
  /** What this rank does, for messages about ranks that are gone or do not come: `step 12`. */
  at(where: string): void;
  /** All ranks know that the work has failed: they end by themselves, and none ends the others. */
  failedTogether(): void;
  /** Ends every rank at once, this process too. */
  abort(): never;
}

/** A process alone: every sum is what it was. */
export const alone: Collectives = {
  rank: 0,
  size: 1,
  library: 'none',
  places: [{ host: hostname(), pid: process.pid }],
  allReduce: async () => {},
  allReduceValues: async () => {},
  reduceScatter: async () => {},
  allGather: async () => {},
  broadcast: async () => {},
  sum: async (values) => [...values],
  gather: async (text) => [text],
  barrier: async () => {},
  at: () => {},
  failedTogether: () => {},
  abort: () => process.abort(),
};
