import type { Batch, RowOrigin, TokenStream } from '@lethe/data-pipeline';
import type { TokenRows } from '@lethe/model';
import { readsForgetRows, readsReplayRows } from '../original.js';
import type { TrainRecipe } from '../recipe.js';
import type { TrainStreams } from '../streams.js';
import type { ValidationRows } from '../validation-rows.js';

/** A row whose hidden states a run will read, and where its tokens are. */
export interface WantedRow {
  origin: RowOrigin;
  from: TokenStream | Batch;
  /** Its number in `from`. */
  at: number;
}

/** Rows that are run side by side: as many as the run itself would take, so that kernels see the same shapes. */
export interface WantedRows {
  rows: WantedRow[];
  sideBySide: number;
}

/** The frozen models of a run. */
export type FrozenRole = 'original' | 'reference';

/** What a run reads. */
interface Reading {
  recipe: TrainRecipe;
  streams: TrainStreams;
  validationRows?: ValidationRows;
  /** Steps that are finished. */
  step: number;
}

/** The rows that the rest of a run reads of a frozen model, in the order in which it reads them, each once. */
export function wantedRows(role: FrozenRole, { recipe, streams, validationRows, step }: Reading): WantedRows[] {
  const { batch, steps } = recipe;
  const wanted: WantedRows[] = [];
  const seen = new Set<string>();
  const once = ({ origin }: WantedRow): boolean => seen.size < seen.add(nameOf(origin)).size;
  const ofStream = (stream: TokenStream, each: number, isRead: (origin: RowOrigin) => boolean = () => true): void => {
    const perStep = batch.accumulate * each;
    const isNew = (row: WantedRow): boolean => isRead(row.origin) && once(row);
    wanted.push({ rows: rowsOfStream(stream, step * perStep, steps * perStep, isNew), sideBySide: each });
  };
  const { isFree = () => false } = streams;
  const isProtected = role === 'reference' || recipe.model.reference === undefined;
  if (isProtected && readsReplayRows(recipe)) ofStream(streams.replay!, batch.replayRows, (row) => !isFree(row));
  if (role === 'original' && readsForgetRows(recipe)) ofStream(streams.forget!, batch.forgetRows);
  if (isProtected)
    for (const { replay } of validationRows?.batches ?? []) {
      if (!replay) continue;
      const rows = replay.origins!.map((origin, at) => ({ origin, from: replay, at })).filter(once);
      wanted.push({ rows, sideBySide: replay.numRows });
    }
  return wanted;
}

/** Names a row among all sets. */
export const nameOf = ({ set, row }: RowOrigin): string => `${set.digest} ${row}`;

/** Origins that are asked for at a time. */
const BLOCK = 4096;

function rowsOfStream(
  stream: TokenStream,
  start: number,
  end: number,
  isNew: (row: WantedRow) => boolean,
): WantedRow[] {
  const rows: WantedRow[] = [];
  for (let first = start; first < end; first += BLOCK)
    for (const [i, origin] of stream.origins(first, Math.min(BLOCK, end - first)).entries()) {
      const row = { origin, from: stream, at: first + i };
      if (isNew(row)) rows.push(row);
    }
  return rows;
}

/** The tokens of rows, side by side. */
export async function tokensOf(rows: readonly WantedRow[]): Promise<TokenRows> {
  const parts = await Promise.all(rows.map(({ from, at }) => ('batch' in from ? from.batch(at, 1) : cut(from, at))));
  const { rowLength } = parts[0];
  const joined = (name: 'ids' | 'positions' | 'first' | 'last'): Int32Array => {
    const all = new Int32Array(rows.length * rowLength);
    for (const [r, part] of parts.entries()) all.set(part[name], r * rowLength);
    return all;
  };
  const columns = { ids: joined('ids'), positions: joined('positions'), first: joined('first'), last: joined('last') };
  return { ...columns, numRows: rows.length, rowLength };
}

function cut({ rowLength, ...batch }: Batch, row: number): TokenRows {
  const of = (name: 'ids' | 'positions' | 'first' | 'last'): Int32Array =>
    batch[name].subarray(row * rowLength, (row + 1) * rowLength);
  return { ids: of('ids'), positions: of('positions'), first: of('first'), last: of('last'), numRows: 1, rowLength };
}
