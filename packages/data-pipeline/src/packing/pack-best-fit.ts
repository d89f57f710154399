import { Permutation } from '../order/permutation.js';
import { planOf, type PackingPlan, type Segment } from './packing-plan.js';

/** The share of row positions that best-fit packing fills, whatever the lengths, if the last row allows it. */
export const BEST_FIT_EFFICIENCY = 0.99;

/** A row being filled. */
interface Bin {
  segments: Segment[];
  free: number;
}

/**
 * Best-fit decreasing: documents stay whole where they fit a row, and each goes to the fullest row with room for it.
 * Documents longer than a row give full rows and a rest. Where lengths leave more than 1% empty, the emptiest rows are
 * taken apart and their documents cut to fill the gaps of the others.
 */
export function packBestFit(lengths: Uint32Array, rowLength: number, key: readonly number[]): PackingPlan {
  const { full, rests } = cutLong(lengths, rowLength, key);
  const bins = fitDecreasing(rests, rowLength);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const wanted = Math.max(Math.ceil(total / rowLength), Math.floor(total / (BEST_FIT_EFFICIENCY * rowLength)));
  fillGaps(bins, full.length + bins.length - wanted);
  return planOf([...full, ...bins.map((bin) => bin.segments)]);
}

function cutLong(lengths: Uint32Array, rowLength: number, key: readonly number[]) {
  const full: Segment[][] = [];
  const rests: Segment[] = [];
  const order = lengths.length > 0 ? new Permutation(lengths.length, ...key) : undefined;
  for (let i = 0; i < lengths.length; i++) {
    const document = order!.at(i);
    const length = lengths[document]!;
    const cut = length - (length % rowLength);
    for (let start = 0; start < cut; start += rowLength) full.push([{ document, start, length: rowLength }]);
    if (cut < length) rests.push({ document, start: cut, length: length - cut });
  }
  return { full, rests };
}

function fitDecreasing(segments: Segment[], rowLength: number): Bin[] {
  const bins: Bin[] = [];
  const open = new FreeSpace(rowLength);
  for (const segment of segments.toSorted((a, b) => b.length - a.length)) {
    let bin = open.take(segment.length);
    if (!bin) bins.push((bin = { segments: [], free: rowLength }));
    bin.segments.push(segment);
    bin.free -= segment.length;
    if (bin.free > 0) open.put(bin);
  }
  return bins;
}

/** Rows by free space, with a bit set of the occupied sizes: the tightest fit is found in rowLength/32 steps at most. */
class FreeSpace {
  private readonly lists: Bin[][];
  private readonly bits: Uint32Array;

  constructor(rowLength: number) {
    this.lists = Array.from({ length: rowLength + 1 }, () => []);
    this.bits = new Uint32Array((rowLength >> 5) + 1);
  }

  put(bin: Bin): void {
    this.lists[bin.free]!.push(bin);
    this.bits[bin.free >> 5]! |= 1 << (bin.free & 31);
  }

  take(length: number): Bin | undefined {
    const size = this.smallestFrom(length);
    const bin = size === undefined ? undefined : this.lists[size]!.pop();
    if (bin && this.lists[bin.free]!.length === 0) this.bits[bin.free >> 5]! &= ~(1 << (bin.free & 31));
    return bin;
  }

  private smallestFrom(length: number): number | undefined {
    for (let word = length >> 5; word < this.bits.length; word++) {
      const mask = word === length >> 5 ? -1 << (length & 31) : -1;
      const bits = this.bits[word]! & mask;
      if (bits !== 0) return (word << 5) + 31 - Math.clz32(bits & -bits);
    }
    return undefined;
  }
}

/** Takes the `count` emptiest rows apart and fills the largest gaps of the others with their segments, cut to fit. */
function fillGaps(bins: Bin[], count: number): void {
  if (count <= 0) return;
  bins.sort((a, b) => b.free - a.free);
  const pieces = bins.splice(0, count).flatMap((bin) => bin.segments);
  let next = 0;
  for (const piece of pieces) {
    for (let start = piece.start; start < piece.start + piece.length;) {
      const bin = bins[next]!;
      const length = Math.min(bin.free, piece.start + piece.length - start);
      if (length > 0) bin.segments.push({ document: piece.document, start, length });
      bin.free -= length;
      start += length;
      if (bin.free === 0) next++;
    }
  }
}
