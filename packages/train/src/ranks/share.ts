import { UserError } from '@lethe/run';
import type { Collectives } from '@lethe/tensor';
import type { TrainRecipe } from '../recipe.js';

/** A range of rows: the first, and how many. */
export interface Rows {
  start: number;
  count: number;
}

/** Which ranks share a step: this one, and how many there are. */
export type Among = Pick<Collectives, 'rank' | 'size'>;

/** The rows of part `i` of `n` parts that are as equal as can be. */
const part = ({ start, count }: Rows, i: number, n: number): Rows => {
  const from = Math.floor((count * i) / n);
  return { start: start + from, count: Math.floor((count * (i + 1)) / n) - from };
};

/**
 * The rows of a step that a rank takes of a stream, counted from the stream's beginning. What is left when each has an
 * equal number is dealt to one rank each, from rank `dealt` on.
 */
function ofStream(rows: Rows, { rank, size }: Among, dealt: number): Rows {
  const [each, left] = [Math.floor(rows.count / size), rows.count % size];
  const isDealt = (r: number): boolean => (r - dealt + size) % size < left;
  const before = Array.from({ length: rank }, (_, r) => each + Number(isDealt(r))).reduce((a, b) => a + b, 0);
  return { start: rows.start + before, count: each + Number(isDealt(rank)) };
}

/**
 * The rows of a rank's micro-batches in step 1..steps. The rows of a step are the same for any number of ranks; each takes
 * a range of the forget rows and one of the replay rows, as many as the others but for one.
 */
export function shareOfStep({ batch }: Pick<TrainRecipe, 'batch'>, step: number, among: Among): Record<Role, Rows>[] {
  const { accumulate } = batch;
  const ofRole = (each: number): Rows => ({ start: (step - 1) * accumulate * each, count: accumulate * each });
  const forget = ofStream(ofRole(batch.forgetRows), among, 0);
  const left = (accumulate * batch.forgetRows) % among.size;
  const replay = ofStream(ofRole(batch.replayRows), among, left);
  const n = Math.ceil(accumulate / among.size);
  const all = Array.from({ length: n }, (_, i) => ({ forget: part(forget, i, n), replay: part(replay, i, n) }));
  return all.filter((rows) => rows.forget.count + rows.replay.count > 0);
}

type Role = 'forget' | 'replay';

/** Rows of the largest micro-batch that any of `size` ranks runs. */
export function mostRowsOfRank(recipe: Pick<TrainRecipe, 'batch'>, size: number): Record<Role, number> {
  const all = Array.from({ length: size }, (_, rank) => shareOfStep(recipe, 1, { rank, size })).flat();
  const rows = all.map(({ forget, replay }) => ({ forget: forget.count, replay: replay.count }));
  return rows.reduce((a, b) => (b.forget + b.replay > a.forget + a.replay ? b : a));
}

/** @throws UserError where there are more ranks than rows in a step, so that some would have nothing to do. */
export function requireRowsForRanks({ batch }: Pick<TrainRecipe, 'batch'>, size: number): void {
  const rows = batch.accumulate * (batch.forgetRows + batch.replayRows);
  if (size <= rows) return;
  throw new UserError(
    `a step has ${rows} rows, and there are ${size} ranks; start ${rows} ranks or fewer, or raise batch.replayRows, batch.forgetRows or batch.accumulate`,
  );
}
