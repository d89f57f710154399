import { Permutation } from '../order/permutation.js';
import { planOf, type PackingPlan, type Segment } from './packing-plan.js';

/** Documents of the given lengths (tokens) laid end to end in a seeded order and cut every `rowLength` tokens. */
export function packConcat(lengths: Uint32Array, rowLength: number, key: readonly number[]): PackingPlan {
  const rows: Segment[][] = [];
  const order = lengths.length > 0 ? new Permutation(lengths.length, ...key) : undefined;
  let free = 0;
  for (let i = 0; i < lengths.length; i++) {
    const document = order!.at(i);
    for (let start = 0; start < lengths[document]!;) {
      if (free === 0) {
        rows.push([]);
        free = rowLength;
      }
      const length = Math.min(free, lengths[document]! - start);
      rows.at(-1)!.push({ document, start, length });
      start += length;
      free -= length;
    }
  }
  return planOf(rows);
}
