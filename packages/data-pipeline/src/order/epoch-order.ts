import { Permutation } from './permutation.js';

/** A row of a group of documents. */
export interface RowPlace {
  group: number;
  row: number;
}

/**
 * The order of one epoch's rows. Groups of rows are shuffled, then the rows within each window of a few groups, so that
 * reading stays local (few record batches at a time) in data of any size; data of one window are shuffled entirely.
 */
export class EpochOrder {
  private readonly groups: number[];
  /** windowStarts[w] = first row of window w; the last entry is the number of rows. */
  private readonly windowStarts: number[] = [0];
  /** The permutation of the window that was asked for last. */
  private current: { window: number; order: Permutation } | undefined;

  /** @param numRows rows of each group. @param windowGroups groups shuffled together. */
  constructor(
    private readonly numRows: readonly number[],
    private readonly key: readonly number[],
    private readonly windowGroups: number,
  ) {
    const order = numRows.length > 0 ? new Permutation(numRows.length, ...key) : undefined;
    this.groups = numRows.map((_, i) => order!.at(i));
    for (let start = 0; start < this.groups.length; start += windowGroups) {
      const rows = this.window(start / windowGroups).reduce((total, group) => total + numRows[group]!, 0);
      this.windowStarts.push(this.windowStarts.at(-1)! + rows);
    }
  }

  /** Where row `index` of the epoch lies. */
  at(index: number): RowPlace {
    let window = 0;
    let end = this.windowStarts.length - 2;
    while (window < end) {
      const middle = (window + end + 1) >> 1;
      if (this.windowStarts[middle]! <= index) window = middle;
      else end = middle - 1;
    }
    const start = this.windowStarts[window]!;
    const rows = this.windowStarts[window + 1]! - start;
    if (this.current?.window !== window) {
      this.current = { window, order: new Permutation(rows, ...this.key, window + 1) };
    }
    let row = this.current.order.at(index - start);
    for (const group of this.window(window)) {
      if (row < this.numRows[group]!) return { group, row };
      row -= this.numRows[group]!;
    }
    throw new RangeError(`EpochOrder: row ${index} is not in the epoch`);
  }

  private window(number: number): number[] {
    return this.groups.slice(number * this.windowGroups, (number + 1) * this.windowGroups);
  }
}

/** Rows in stored order, for streams without shuffling. */
export function storedOrder(numRows: readonly number[], index: number): RowPlace {
  let row = index;
  for (const [group, rows] of numRows.entries()) {
    if (row < rows) return { group, row };
    row -= rows;
  }
  throw new RangeError(`storedOrder: row ${index} is not in the epoch`);
}
