import { EpochOrder, storedOrder, type RowPlace } from '../order/epoch-order.js';
import type { PackedSet } from '../packing/packed-set.js';
import type { PackingPlan } from '../packing/packing-plan.js';
import type { RowOrigin } from '../packing/row-set.js';
import type { BatchColumns } from '../shards/arrow-batch.js';
import { type ShardReader, slice } from '../shards/shard-reader.js';
import { assembleRow, emptyBatch, type RowPiece } from './assemble-row.js';
import type { Batch, TokenStream } from './token-stream.js';

/** Groups whose rows are shuffled together: bounds how many record batches are wanted at a time. */
const WINDOW_GROUPS = 4;

/** Document numbers named in a row's description, at most. */
const NAMED_DOCUMENTS = 6;

/** Rows of packed shard sets in a deterministic order. */
export class PackedStream implements TokenStream {
  readonly numRows: number;
  /** `firstRow` counts the rows of the same set before the group. */
  private readonly groups: { set: PackedSet; number: number; firstRow: number }[];
  private readonly groupRows: number[];
  private orders: { epoch: number; order: EpochOrder }[] = [];

  constructor(
    private readonly sets: readonly PackedSet[],
    readonly rowLength: number,
    private readonly seed: number,
    private readonly isShuffled: boolean,
  ) {
    this.groups = sets.flatMap((set) => {
      let firstRow = 0;
      return set.numRows.map((rows, number) => ({ set, number, firstRow: (firstRow += rows) - rows }));
    });
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
    const rows = places.map((place, r) => this.row(place, plans[r]!));
    const stored = await this.load(rows);
    const batch = emptyBatch(numRows, this.rowLength);
    for (const [r, row] of rows.entries()) this.fill(batch, r, row, stored);
    batch.origins = places.map((place) => this.origin(place));
    return batch;
  }

  origins(startIndex: number, numRows: number): RowOrigin[] {
    return Array.from({ length: numRows }, (_, i) => this.origin(this.place(startIndex + i)));
  }

  private origin({ group, row }: RowPlace): RowOrigin {
    const { set, firstRow } = this.groups[group]!;
    return { set: set.rows, row: firstRow + row };
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

  /** What a row holds, and the record batches that hold it. */
  private row({ group, row }: RowPlace, plan: PackingPlan): PlannedRow {
    const { set, number } = this.groups[group]!;
    const { firstDocument } = set.groups[number]!;
    const from = plan.rowStarts[row]!;
    const to = plan.rowStarts[row + 1]!;
    const documents: number[] = [];
    const batches: number[] = [];
    for (let i = from; i < to; i++) {
      documents.push(firstDocument + plan.documents[i]!);
      batches.push(set.reader.batchOf(firstDocument + plan.documents[i]!));
    }
    return { set, plan, from, documents, batches };
  }

  /** The record batches of rows, each read once. */
  private async load(rows: readonly PlannedRow[]): Promise<StoredBatches> {
    const stored: StoredBatches = new Map();
    const loads: Promise<void>[] = [];
    for (const { set, batches } of rows) {
      let ofSet = stored.get(set);
      if (!ofSet) stored.set(set, (ofSet = new Map()));
      for (const number of batches) {
        if (ofSet.has(number)) continue;
        ofSet.set(number, undefined);
        loads.push(set.reader.readBatch(number).then((columns) => void ofSet.set(number, columns)));
      }
    }
    await Promise.all(loads);
    return stored;
  }

  private fill(
    batch: Batch,
    r: number,
    { set, plan, from, documents, batches }: PlannedRow,
    stored: StoredBatches,
  ): void {
    const { reader } = set;
    const columns = stored.get(set)!;
    const pieces = documents.map((document, i): RowPiece => ({
      document: slice(columns.get(batches[i]!)!, document - reader.batches[batches[i]!]!.firstDocument),
      start: plan.starts[from + i]!,
      length: plan.lengths[from + i]!,
    }));
    assembleRow(batch, r, pieces, reader.index.padId);
    batch.documents[r] = describeRow(reader, documents, batches);
  }
}

/** A row of the plan. */
interface PlannedRow {
  set: PackedSet;
  plan: PackingPlan;
  /** Its first segment in the plan. */
  from: number;
  /** Documents of the segments, and the record batches they are in. */
  documents: number[];
  batches: number[];
}

type StoredBatches = Map<PackedSet, Map<number, BatchColumns | undefined>>;

/** Where a row's tokens come from, for messages. */
function describeRow(reader: ShardReader, documents: number[], batches: number[]): string {
  const shards = [...new Set(batches.map((stored) => reader.batches[stored]!.shard.replace(/\.arrow$/, '')))];
  const more = documents.length > NAMED_DOCUMENTS ? ` and ${documents.length - NAMED_DOCUMENTS} more` : '';
  const named = documents.slice(0, NAMED_DOCUMENTS).join(' ');
  return `${reader.name}/${shards.join('+')} docs ${named}${more}`;
}
