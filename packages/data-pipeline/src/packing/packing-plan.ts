/** How documents are laid into rows. */
export type Packing = 'concat' | 'best-fit';

/**
 * The rows of a group of documents. Row r holds segments rowStarts[r]..rowStarts[r+1]-1; segment s is the tokens
 * [starts[s], starts[s]+lengths[s]) of document documents[s] (counted from the group's first).
 */
export interface PackingPlan {
  rowStarts: Uint32Array;
  documents: Uint32Array;
  starts: Uint32Array;
  lengths: Uint32Array;
}

/** A piece of a document. */
export interface Segment {
  document: number;
  start: number;
  length: number;
}

/** A plan from rows of segments. */
export function planOf(rows: readonly (readonly Segment[])[]): PackingPlan {
  const rowStarts = new Uint32Array(rows.length + 1);
  for (const [r, row] of rows.entries()) rowStarts[r + 1] = rowStarts[r]! + row.length;
  const numSegments = rowStarts[rows.length]!;
  const plan = {
    rowStarts,
    documents: new Uint32Array(numSegments),
    starts: new Uint32Array(numSegments),
    lengths: new Uint32Array(numSegments),
  };
  let s = 0;
  for (const row of rows) {
    for (const segment of row) {
      plan.documents[s] = segment.document;
      plan.starts[s] = segment.start;
      plan.lengths[s++] = segment.length;
    }
  }
  return plan;
}
