import type { RowSet } from '../packing/row-set.js';
import { emptyBatch } from './assemble-row.js';
import { mixStreams } from './mix-streams.js';
import type { TokenStream } from './token-stream.js';

/** A stream whose row i holds the ids base+i, base+i. */
function counted(base: number, numRows = 1000, rowLength = 2): TokenStream {
  return {
    numRows,
    rowLength,
    batch(start, count) {
      const batch = emptyBatch(count, rowLength);
      for (let r = 0; r < count; r++) batch.ids.fill(base + start + r, r * rowLength, (r + 1) * rowLength);
      batch.numTargets = count;
      batch.documents = Array.from({ length: count }, (_, r) => `row ${start + r}`);
      return batch;
    },
    origins: (start, count) => Array.from({ length: count }, (_, r) => ({ set: setOf(base), row: start + r })),
  };
}

const setOf = (base: number): RowSet => ({
  folder: String(base),
  packing: 'concat',
  rowLength: 2,
  seed: 1,
  digest: '',
  numRows: 1000,
});

const BASE = 1_000_000_000;

async function firstIds(stream: TokenStream, start: number, count: number, size: number): Promise<number[]> {
  const ids: number[] = [];
  for (let i = start; i < start + count; i += size) {
    const batch = await stream.batch(i, Math.min(size, start + count - i));
    for (let r = 0; r < batch.numRows; r++) ids.push(batch.ids[r * 2]!);
  }
  return ids;
}

function mix(proportion: number, seed = 1): TokenStream {
  return mixStreams(
    [
      { name: 'natural', stream: counted(0), proportion: 1 - proportion },
      { name: 'synthetic', stream: counted(BASE), proportion },
    ],
    seed,
  );
}

describe('mixStreams', () => {
  it.each([0.02, 0.5, 1 / 3, 0.001])('keeps a share of %d within 0.1%% in every long window', async (proportion) => {
    const ids = await firstIds(mix(proportion), 0, 40_000, 1000);
    for (let start = 0; start + 20_000 <= ids.length; start += 777) {
      const share = ids.slice(start, start + 20_000).filter((id) => id >= BASE).length / 20_000;
      expect(Math.abs(share - proportion)).toBeLessThan(0.001);
    }
    expect(Math.abs(ids.filter((id) => id >= BASE).length / ids.length - proportion)).toBeLessThan(0.0001);
  });

  it('takes the rows of each stream in their order, none twice, none left out', async () => {
    const ids = await firstIds(mix(0.02), 0, 5000, 64);
    const natural = ids.filter((id) => id < BASE);
    const synthetic = ids.filter((id) => id >= BASE);
    expect(natural).toEqual(natural.map((_, i) => i));
    expect(synthetic).toEqual(synthetic.map((_, i) => BASE + i));
    expect(synthetic.length).toBe(100);
  });

  it('is the same from any start and in any batch size', async () => {
    const expected = await firstIds(mix(0.1), 0, 3500, 3500);
    for (const [start, size] of [
      [0, 1],
      [999, 2],
      [1000, 7],
      [1234, 100],
      [2999, 64],
    ] as const) {
      expect(await firstIds(mix(0.1), start, 3500 - start, size)).toEqual(expected.slice(start));
    }
    expect(await firstIds(mix(0.1, 2), 0, 3500, 100)).not.toEqual(expected);
  });

  it('tells where rows come from, read or not', async () => {
    const stream = mix(0.1);
    const { ids, origins } = await stream.batch(995, 20);
    expect(stream.origins(995, 20)).toEqual(origins);
    expect(origins!.map(({ set, row }) => Number(set.folder) + row)).toEqual(
      Array.from(ids.filter((_, i) => i % 2 === 0)),
    );
  });

  it('mixes more than two, whatever the shares', async () => {
    const parts = [0.0005, 0.3333, 0.1112, 0.555].map((proportion, i) => ({
      name: `${i}`,
      stream: counted((i * BASE) / 10),
      proportion,
    }));
    const ids = await firstIds(mixStreams(parts, 5), 0, 20_000, 500);
    for (const [i, { proportion }] of parts.entries()) {
      const own = ids.filter((id) => Math.floor(id / (BASE / 10)) === i);
      expect(Math.abs(own.length / ids.length - proportion)).toBeLessThan(0.0002);
      expect(own).toEqual(own.map((_, k) => (i * BASE) / 10 + k));
    }
  });

  it('counts an epoch by the first stream, and names parts in descriptions', async () => {
    const stream = mix(0.02);
    expect(stream.numRows).toBe(Math.ceil(1000 / 0.98));
    const { documents, numTargets } = await stream.batch(0, 200);
    expect(numTargets).toBe(200);
    expect(documents).toContain('synthetic: row 0');
    expect(documents).toContain('natural: row 0');
  });

  it.each([
    [[], /at least one stream/],
    [[{ name: 'a', stream: counted(0), proportion: 0 }], /above 0 and at most 1 for "a", received 0/],
    [[{ name: 'a', stream: counted(0), proportion: 0.5 }], /add up to 1, received 0\.5/],
    [
      [
        { name: 'a', stream: counted(0), proportion: 0.5 },
        { name: 'b', stream: counted(0, 10, 4), proportion: 0.5 },
      ],
      /rows of 2 tokens in "b", received 4/,
    ],
  ])('refuses bad parts %#', (parts, message) => {
    expect(() => mixStreams(parts, 1)).toThrow(message);
  });
});
