import { hashNumbers } from '../order/permutation.js';
import { packBestFit } from './pack-best-fit.js';
import { packConcat } from './pack-concat.js';
import type { PackingPlan } from './packing-plan.js';

/** The share of row positions that hold tokens. */
function planEfficiency(plan: PackingPlan, rowLength: number): number {
  const numRows = plan.rowStarts.length - 1;
  return numRows === 0 ? 1 : plan.lengths.reduce((total, length) => total + length, 0) / (numRows * rowLength);
}

/** Checks that every token is in exactly one row, and that no row is too long. */
function check(plan: PackingPlan, lengths: Uint32Array, rowLength: number): void {
  const seen = [...lengths].map((length) => new Uint8Array(length));
  for (let r = 0; r + 1 < plan.rowStarts.length; r++) {
    let filled = 0;
    for (let s = plan.rowStarts[r]!; s < plan.rowStarts[r + 1]!; s++) {
      for (let k = 0; k < plan.lengths[s]!; k++) seen[plan.documents[s]!]![plan.starts[s]! + k]!++;
      filled += plan.lengths[s]!;
    }
    if (filled === 0 || filled > rowLength) throw new Error(`row ${r} holds ${filled} tokens`);
  }
  expect(seen.every((document) => document.every((count) => count === 1))).toBe(true);
}

const LENGTHS: Record<string, (i: number) => number> = {
  'log-normal': (i) => Math.ceil(Math.exp(3 + 3 * (hashNumbers(i) / 2 ** 32))),
  uniform: (i) => 1 + (hashNumbers(i, 1) % 300),
  'just above half a row': () => 65,
  'just below a row': () => 127,
  'just above a row': () => 129,
  tiny: (i) => 1 + (i % 3),
  huge: (i) => 5000 + i,
};

describe.each(Object.keys(LENGTHS))('packing documents of %s length', (kind) => {
  const lengths = Uint32Array.from({ length: 400 }, (_, i) => LENGTHS[kind]!(i));

  it('concat keeps every token once and fills all rows but the last', () => {
    const plan = packConcat(lengths, 128, [1]);
    check(plan, lengths, 128);
    expect(plan.rowStarts.length - 1).toBe(Math.ceil(lengths.reduce((a, b) => a + b, 0) / 128));
  });

  it('best-fit keeps every token once and fills 99%, or all but the last row', () => {
    const plan = packBestFit(lengths, 128, [1]);
    check(plan, lengths, 128);
    const total = lengths.reduce((a, b) => a + b, 0);
    const isFull = planEfficiency(plan, 128) >= 0.99 || plan.rowStarts.length - 1 === Math.ceil(total / 128);
    expect([planEfficiency(plan, 128), isFull]).toEqual([expect.any(Number), true]);
  });

  it('depends on the seed only', () => {
    for (const pack of [packConcat, packBestFit]) {
      expect(pack(lengths, 128, [5])).toEqual(pack(lengths, 128, [5]));
      if (new Set(lengths).size > 20) expect(pack(lengths, 128, [5])).not.toEqual(pack(lengths, 128, [6]));
    }
  });
});

describe('best-fit', () => {
  it('cuts no document that fits a row when whole documents pack well', () => {
    const lengths = Uint32Array.from({ length: 3000 }, (_, i) => 1 + (hashNumbers(i) % 100));
    const plan = packBestFit(lengths, 512, [1]);
    expect(plan.documents.length).toBe(lengths.length);
    expect(planEfficiency(plan, 512)).toBeGreaterThanOrEqual(0.99);
  });

  it('packs nothing into nothing', () => {
    expect(packBestFit(new Uint32Array(), 8, [1]).rowStarts).toEqual(Uint32Array.of(0));
    expect(packConcat(new Uint32Array(), 8, [1]).rowStarts).toEqual(Uint32Array.of(0));
  });
});
