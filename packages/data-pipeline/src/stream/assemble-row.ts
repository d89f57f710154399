import type { StoredDocument } from '../shards/shard-reader.js';
import type { Batch } from './token-stream.js';

/** A piece of a stored document in a row. */
export interface RowPiece {
  document: StoredDocument;
  /** First token of the piece in the document, and how many there are. */
  start: number;
  length: number;
}

/** A batch whose rows are still to be filled. */
export function emptyBatch(numRows: number, rowLength: number): Batch {
  const array = () => new Int32Array(numRows * rowLength);
  return {
    ids: array(),
    targets: array(),
    positions: array(),
    first: array(),
    last: array(),
    numRows,
    rowLength,
    numTargets: 0,
    documents: [],
  };
}

const counts = new Map<number, Int32Array>();

/** 0, 1, 2, .. rowLength-1, kept per row length. */
function counting(rowLength: number): Int32Array {
  let known = counts.get(rowLength);
  if (!known) counts.set(rowLength, (known = Int32Array.from({ length: rowLength }, (_, i) => i)));
  return known;
}

/**
 * Writes row `r` of a batch: the pieces one after another, then padding. The target of a token is the next token of its
 * document, also across a cut; the last token of a document (EOS) and padding have none.
 */
export function assembleRow(batch: Batch, r: number, pieces: readonly RowPiece[], padId: number): void {
  const { rowLength } = batch;
  const base = r * rowLength;
  const indexes = counting(rowLength);
  let at = 0;
  for (const { document, start, length } of pieces) {
    const offset = base + at;
    const end = start + length;
    batch.ids.set(document.ids.subarray(start, end), offset);
    batch.positions.set(indexes.subarray(0, length), offset);
    batch.first.fill(at, offset, offset + length);
    batch.numTargets += setTargets(batch.targets, offset, { document, start, length });
    at += length;
  }
  batch.last.set(indexes, base);
  if (at === rowLength) return;
  batch.ids.fill(padId, base + at, base + rowLength);
  batch.targets.fill(-1, base + at, base + rowLength);
  batch.positions.fill(0, base + at, base + rowLength);
  batch.first.set(indexes.subarray(at), base + at);
}

/** Writes the targets of one piece and returns how many there are. */
function setTargets(targets: Int32Array, offset: number, { document, start, length }: RowPiece): number {
  const { ids, mask } = document;
  const next = ids.subarray(start + 1, start + 1 + length);
  targets.set(next, offset);
  if (next.length < length) targets[offset + length - 1] = -1;
  if (!mask) return next.length;
  let numTargets = 0;
  for (let i = 0; i < next.length; i++) {
    if (mask[start + 1 + i]) numTargets++;
    else targets[offset + i] = -1;
  }
  return numTargets;
}
