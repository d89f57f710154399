import type { Batch } from '@lethe/data-pipeline';
import type { TokenRows } from '@lethe/model';

/** The rows of one forward pass: forget rows, then replay rows. Either may be absent. */
export interface MicroBatch {
  forget?: Batch;
  replay?: Batch;
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
