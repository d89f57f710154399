import type { Packing } from './packing-plan.js';

/** Packed rows of a folder of shards: the same at every reading, whatever the order they are read in. */
export interface RowSet {
  folder: string;
  packing: Packing;
  rowLength: number;
  seed: number;
  /** SHA-256 of the shards' checksums and of how they are packed: two sets of one digest have the same rows. */
  digest: string;
  numRows: number;
}

/** Where a row comes from: its number in a set, 0 to numRows - 1. */
export interface RowOrigin {
  set: RowSet;
  row: number;
}
