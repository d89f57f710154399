import { Permutation } from '../order/permutation.js';
import type { RowOrigin } from '../packing/row-set.js';
import { emptyBatch } from './assemble-row.js';
import type { Batch, TokenStream } from './token-stream.js';

/** One stream of a mix. */
export interface MixPart {
  stream: TokenStream;
  /** Share of rows, above 0; the shares of a mix add up to 1. */
  proportion: number;
  name: string;
}

/** Rows within which a mix is shuffled. Each block of this size holds every part's share, to the row. */
const BLOCK_ROWS = 100;

/**
 * Mixes streams by proportion of rows: row i is a pure function of (seed, i). Every prefix of whole blocks holds each
 * part's share to the row, up to rounding; a part that ends begins its next epoch.
 * `numRows` is what one pass over the first part takes.
 * @throws RangeError for bad proportions or different row lengths.
 */
export function mixStreams(parts: readonly MixPart[], seed: number): TokenStream {
  check(parts);
  return new MixedStream(parts, seed);
}

function check(parts: readonly MixPart[]): void {
  const [main] = parts;
  if (!main) throw new RangeError('mixStreams: expected at least one stream, received none');
  for (const { name, proportion, stream } of parts) {
    if (!(proportion > 0 && proportion <= 1)) {
      throw new RangeError(
        `mixStreams: expected a proportion above 0 and at most 1 for "${name}", received ${proportion}`,
      );
    }
    if (stream.rowLength !== main.stream.rowLength) {
      throw new RangeError(
        `mixStreams: expected rows of ${main.stream.rowLength} tokens in "${name}", received ${stream.rowLength}`,
      );
    }
  }
  const total = parts.reduce((sum, part) => sum + part.proportion, 0);
  if (Math.abs(total - 1) > 1e-6)
    throw new RangeError(`mixStreams: expected proportions that add up to 1, received ${total}`);
}

class MixedStream implements TokenStream {
  readonly numRows: number;
  readonly rowLength: number;
  private readonly blocks = new Map<number, Uint16Array>();

  constructor(
    private readonly parts: readonly MixPart[],
    private readonly seed: number,
  ) {
    this.numRows = Math.ceil(parts[0]!.stream.numRows / parts[0]!.proportion);
    this.rowLength = parts[0]!.stream.rowLength;
  }

  async batch(startIndex: number, numRows: number): Promise<Batch> {
    const before = this.counts(startIndex);
    const choice = Array.from({ length: numRows }, (_, i) => this.partOf(startIndex + i));
    const batches = await Promise.all(
      this.parts.map(({ stream }, part) => {
        const wanted = choice.filter((chosen) => chosen === part).length;
        return wanted === 0 ? undefined : stream.batch(before[part]!, wanted);
      }),
    );
    const mixed = emptyBatch(numRows, this.rowLength);
    mixed.origins = this.origins(startIndex, numRows);
    const next = this.parts.map(() => 0);
    for (const [r, part] of choice.entries()) {
      copyRow(batches[part]!, next[part]!, mixed, r);
      mixed.documents[r] = `${this.parts[part]!.name}: ${batches[part]!.documents[next[part]!] ?? ''}`;
      next[part]!++;
    }
    mixed.numTargets = batches.reduce((total, batch) => total + (batch?.numTargets ?? 0), 0);
    return mixed;
  }

  origins(startIndex: number, numRows: number): RowOrigin[] {
    const next = this.counts(startIndex);
    return Array.from({ length: numRows }, (_, i) => {
      const part = this.partOf(startIndex + i);
      return this.parts[part]!.stream.origins(next[part]!++, 1)[0]!;
    });
  }

  /** Which part row `index` belongs to. */
  private partOf(index: number): number {
    return this.block(Math.floor(index / BLOCK_ROWS))[index % BLOCK_ROWS]!;
  }

  /** Rows of each part before row `index`. */
  private counts(index: number): number[] {
    const block = Math.floor(index / BLOCK_ROWS);
    const counts = this.quota(block);
    const parts = this.block(block);
    for (let i = 0; i < index % BLOCK_ROWS; i++) counts[parts[i]!]!++;
    return counts;
  }

  /** Rows of each part in the first `block` blocks. */
  private quota(block: number): number[] {
    // The last part takes its share of all rows, the one before it its share of the rest, and so on: every count then
    // grows with every block. 1e-9 keeps products such as 50 * 0.02 from falling below the whole number they stand for.
    const counts = this.parts.map(() => 0);
    let rows = block * BLOCK_ROWS;
    let share = 1;
    for (let part = this.parts.length - 1; part > 0; part--) {
      const { proportion } = this.parts[part]!;
      counts[part] = Math.min(rows, Math.floor(rows * Math.min(1, proportion / share) + 1e-9));
      rows -= counts[part]!;
      share -= proportion;
    }
    counts[0] = rows;
    return counts;
  }

  private block(number: number): Uint16Array {
    const known = this.blocks.get(number);
    if (known) return known;
    const start = this.quota(number);
    const end = this.quota(number + 1);
    const sorted = new Uint16Array(BLOCK_ROWS);
    let at = 0;
    for (const part of this.parts.keys()) sorted.fill(part, at, (at += end[part]! - start[part]!));
    const order = new Permutation(BLOCK_ROWS, this.seed, number);
    const block = sorted.map((_, i) => sorted[order.at(i)]!);
    if (this.blocks.size >= 4) this.blocks.delete(this.blocks.keys().next().value!);
    this.blocks.set(number, block);
    return block;
  }
}

function copyRow(from: Batch, fromRow: number, to: Batch, toRow: number): void {
  const { rowLength } = to;
  for (const name of ['ids', 'targets', 'positions', 'first', 'last'] as const) {
    to[name].set(from[name].subarray(fromRow * rowLength, (fromRow + 1) * rowLength), toRow * rowLength);
  }
}
