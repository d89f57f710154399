import type { Batch, RowOrigin } from '@lethe/data-pipeline';
import type { TokenRows } from '@lethe/model';

/** The rows of one forward pass: forget rows, then replay rows. Either may be absent. */
export interface MicroBatch {
  forget?: Batch;
  replay?: Batch;
  /** Replay rows, the first ones, that the mitigation term does not hold (default 0). */
  numFree?: number;
}

/** The replay rows that the mitigation term holds. */
export function heldOf({ replay, numFree = 0 }: MicroBatch): Batch | undefined {
  if (!replay || numFree === 0) return replay;
  return numFree < replay.numRows ? rowsAt(replay, range(numFree, replay.numRows)) : undefined;
}

/** A micro-batch whose free replay rows come first, in their order. */
export function withHeldLast(micro: MicroBatch, isFree: (origin: RowOrigin) => boolean): MicroBatch {
  const { replay } = micro;
  if (!replay) return micro;
  const rows = range(0, replay.numRows);
  const free = rows.filter((r) => isFree(replay.origins![r]));
  const held = rows.filter((r) => !isFree(replay.origins![r]));
  return { ...micro, replay: rowsAt(replay, [...free, ...held]), numFree: free.length };
}

const range = (start: number, end: number): number[] => Array.from({ length: end - start }, (_, i) => start + i);

/** Rows of a batch, in the order that is asked for. */
function rowsAt(batch: Batch, rows: readonly number[]): Batch {
  const { rowLength, origins } = batch;
  const cut = (values: Int32Array): Int32Array => {
    const made = new Int32Array(rows.length * rowLength);
    for (const [i, r] of rows.entries()) made.set(values.subarray(r * rowLength, (r + 1) * rowLength), i * rowLength);
    return made;
  };
  const targets = cut(batch.targets);
  return {
    ...batch,
    ids: cut(batch.ids),
    targets,
    positions: cut(batch.positions),
    first: cut(batch.first),
    last: cut(batch.last),
    numRows: rows.length,
    numTargets: targets.reduce((count, id) => count + Number(id >= 0), 0),
    ...(origins && { origins: rows.map((r) => origins[r]) }),
  };
}

/** Targets of both streams in row order, int32 [N]. */
export function targetsOf({ forget, replay }: MicroBatch): Int32Array {
  return joined(forget?.targets, replay?.targets);
}

/** Both streams as the rows of one policy pass. */
export function rowsOf({ forget, replay }: MicroBatch): TokenRows {
  const one = forget ?? replay!;
  return {
    ids: joined(forget?.ids, replay?.ids),
    positions: joined(forget?.positions, replay?.positions),
    first: joined(forget?.first, replay?.first),
    last: joined(forget?.last, replay?.last),
    numRows: (forget?.numRows ?? 0) + (replay?.numRows ?? 0),
    rowLength: one.rowLength,
  };
}

/** The sequences of a stream's rows: a document, or its piece in a row. `of` numbers them by position; `count` has those with targets. */
export function sequencesOf({ first, targets, rowLength }: Batch): { of: Int32Array; count: number } {
  const of = first.map((start, n) => n - (n % rowLength) + start);
  return { of, count: new Set(of.filter((_, n) => targets[n] >= 0)).size };
}

function joined(a: Int32Array | undefined, b: Int32Array | undefined): Int32Array {
  const both = new Int32Array((a?.length ?? 0) + (b?.length ?? 0));
  if (a) both.set(a);
  if (b) both.set(b, a?.length ?? 0);
  return both;
}

/** What the micro-batches are made of, for messages. */
export function describeMicroBatches(batches: MicroBatch[]): string {
  const names = (role: 'forget' | 'replay'): string[] => batches.flatMap((batch) => batch[role]?.documents ?? []);
  const list = (role: 'forget' | 'replay'): string => {
    const all = names(role);
    if (all.length === 0) return '';
    return `${role}: ${all.slice(0, 8).join(', ')}${all.length > 8 ? ` and ${all.length - 8} more` : ''}`;
  };
  return [list('forget'), list('replay')].filter(Boolean).join('; ');
}
