// Rows of arbitrary ids, for steps that are timed.

/** A batch of `rows` documents of `length` tokens each, ids and targets drawn from `vocab` by the seed. */
export function randomBatch({ rows, length, vocab }, seed) {
  const count = rows * length;
  let state = seed;
  const next = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) % vocab;
  const column = Int32Array.from({ length: count }, (_, i) => i % length);
  const ids = Int32Array.from({ length: count }, next);
  const targets = Int32Array.from({ length: count }, next);
  const token = { ids, targets, positions: column, first: new Int32Array(count), last: column };
  return { ...token, numRows: rows, rowLength: length, numTargets: count, documents: [] };
}
