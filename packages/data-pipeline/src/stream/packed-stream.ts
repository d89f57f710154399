import path from 'node:path';
import { EpochOrder, storedOrder, type RowPlace } from '../order/epoch-order.js';
import type { PackedSet } from '../packing/packed-set.js';
import type { PackingPlan } from '../packing/packing-plan.js';
import { slice } from '../shards/shard-reader.js';
import { assembleRow, emptyBatch, type RowPiece } from './assemble-row.js';
import type { Batch, TokenStream } from './token-stream.js';

/** Groups whose rows are shuffled together: bounds how many record batches are wanted at a time. */
const WINDOW_GROUPS = 4;

/** Document numbers named in a row's description, at most. */
const NAMED_DOCUMENTS = 6;

/** Rows of packed shard sets in a deterministic order. */
export class PackedStream implements TokenStream {
  readonly numRows: number;
  private readonly groups: { set: PackedSet; number: number }[];
  private readonly groupRows: number[];
  private orders: { epoch: number; order: EpochOrder }[] = [];

  constructor(
    private readonly sets: readonly PackedSet[],
    readonly rowLength: number,
    private readonly seed: number,
    private readonly isShuffled: boolean,
  ) {
    this.groups = sets.flatMap((set) => set.groups.map((_, number) => ({ set, number })));
    this.groupRows = sets.flatMap((set) => [...set.numRows]);
    this.numRows = this.groupRows.reduce((total, rows) => total + rows, 0);
  }

  /** Share of row positions that hold tokens. */
  get efficiency(): number {
    const tokens = this.sets.reduce((total, set) => total + set.reader.index.tokens, 0);
    return tokens / (this.numRows * this.rowLength);
  }

  async batch(startIndex: number, numRows: number): Promise<Batch> {
    if (!(Number.isSafeInteger(startIndex) && startIndex >= 0 && Number.isInteger(numRows) && numRows >= 1)) {
      throw new RangeError(
        `batch: expected a start of at least 0 and at least 1 row, received ${startIndex} and ${numRows}`,
      );
    }
    const places = Array.from({ length: numRows }, (_, i) => this.place(startIndex + i));
    const plans = await Promise.all(
      places.map(({ group }) => this.groups[group]!.set.plan(this.groups[group]!.number)),
    );
    const batch = emptyBatch(numRows, this.rowLength);
    await Promise.all(places.map((place, r) => this.fill(batch, r, place, plans[r]!)));
    return batch;
  }

  private place(index: number): RowPlace {
    const epoch = Math.floor(index / this.numRows);
    const row = index - epoch * this.numRows;
    if (!this.isShuffled) return storedOrder(this.groupRows, row);
    let known = this.orders.find((entry) => entry.epoch === epoch);
    if (!known) {
      known = { epoch, order: new EpochOrder(this.groupRows, [this.seed, epoch], WINDOW_GROUPS) };
      this.orders = [known, ...this.orders.slice(0, 1)];
    }
    return known.order.at(row);
  }

  private async fill(batch: Batch, r: number, { group, row }: RowPlace, plan: PackingPlan): Promise<void> {
    const { set, number } = this.groups[group]!;
    const { reader } = set;
    const from = plan.rowStarts[row]!;
    const to = plan.rowStarts[row + 1]!;
    const numbers = Array.from(
      { length: to - from },
      (_, i) => set.groups[number]!.firstDocument + plan.documents[from + i]!,
    );
    const batches = numbers.map((document) => reader.batchOf(document));
    const columns = await Promise.all(batches.map((stored) => reader.readBatch(stored)));
    const pieces = numbers.map((document, i): RowPiece => ({
      document: slice(columns[i]!, document - reader.batches[batches[i]!]!.firstDocument),
      start: plan.starts[from + i]!,
      length: plan.lengths[from + i]!,
    }));
    assembleRow(batch, r, pieces, reader.index.padId);
    const shards = [...new Set(batches.map((stored) => reader.batches[stored]!.shard.replace(/\.arrow$/, '')))];
    const more = numbers.length > NAMED_DOCUMENTS ? ` and ${numbers.length - NAMED_DOCUMENTS} more` : '';
    const named = numbers.slice(0, NAMED_DOCUMENTS).join(' ');
    const folder = path.resolve(reader.folder).split(path.sep).slice(-2).join('/');
    batch.documents[r] = `${folder}/${shards.join('+')} docs ${named}${more}`;
  }
}
