import { readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { lockBeside, whileLocked } from '@lethe/run';
import { EOS, numberedDocument, sampleLength, writeNumbered } from '../../testing/small-shards.js';
import { temporaryFolder } from '../../testing/temporary-folder.js';
import { openStream, type OpenStreamOptions } from './open-stream.js';
import { sequences } from './sequences.js';
import type { Batch, TokenStream } from './token-stream.js';

const folder = temporaryFolder();
const COUNT = 500;
const T = 32;
const plain = path.join(folder.path, 'plain');
const masked = path.join(folder.path, 'masked');

beforeAll(async () => {
  await writeNumbered(plain, COUNT);
  await writeNumbered(masked, COUNT, { hasTargetsMask: true });
});

function open(more: Partial<OpenStreamOptions> = {}) {
  return openStream({ shards: plain, rowLength: T, seed: 11, groupTokens: 1500, ...more });
}

/** Rows of a batch as text, to compare. */
function rowsOf(batch: Batch): string[] {
  return Array.from({ length: batch.numRows }, (_, r) => {
    const part = (values: Int32Array) => values.subarray(r * batch.rowLength, (r + 1) * batch.rowLength).join();
    return (
      [batch.ids, batch.targets, batch.positions, batch.first, batch.last].map(part).join('|') + batch.documents[r]
    );
  });
}

async function rows(stream: TokenStream, start: number, count: number, size = 7): Promise<string[]> {
  const all: string[] = [];
  for (let i = start; i < start + count; i += size)
    all.push(...rowsOf(await stream.batch(i, Math.min(size, start + count - i))));
  return all;
}

describe.each(['concat', 'best-fit'] as const)('a %s stream', (packing) => {
  it('holds every token of every document once per epoch, with the right targets and bounds', async () => {
    const stream = await open({ packing });
    const seen = Array.from({ length: COUNT }, (_, i) => new Uint8Array(sampleLength(i)));
    const batch = await stream.batch(stream.numRows, stream.numRows);
    let numTargets = 0;
    for (let i = 0; i < batch.ids.length; i++) {
      const column = i % T;
      const [id, target, first] = [batch.ids[i]!, batch.targets[i]!, batch.first[i]!];
      expect(batch.last[i]).toBe(column);
      if (target >= 0) numTargets++;
      if (id === 0) {
        expect([target, batch.positions[i], first]).toEqual([-1, 0, column]);
        continue;
      }
      expect(batch.positions[i]).toBe(column - first);
      // EOS carries no document number: its neighbour does (documents have at least one other token).
      if (id === EOS) {
        expect(target).toBe(-1);
        continue;
      }
      const [document, position] = [Math.floor(id / 100) - 1, id % 100];
      seen[document]![position]!++;
      expect(target).toBe(numberedDocument(document, sampleLength(document))[position + 1]);
      const start = batch.ids[i - column + first]!;
      expect(start === EOS || Math.floor(start / 100) - 1 === document).toBe(true);
    }
    expect(numTargets).toBe(batch.numTargets);
    expect(seen.every((document) => document.subarray(0, -1).every((count) => count === 1))).toBe(true);
    expect(batch.ids.filter((id) => id === EOS).length).toBe(COUNT);
  });

  it('is the same from any start, in any batch size, in any process', async () => {
    const stream = await open({ packing });
    const span = 2 * stream.numRows + 9;
    const expected = await rows(stream, 0, span, 1);
    for (const start of [0, 1, 17, stream.numRows - 1, stream.numRows, stream.numRows + 5]) {
      expect(await rows(await open({ packing }), start, span - start, 13)).toEqual(expected.slice(start));
    }
    expect(expected.slice(0, stream.numRows)).not.toEqual(expected.slice(stream.numRows, 2 * stream.numRows));
    expect(expected.slice(0, stream.numRows).toSorted()).toEqual(
      expected.slice(stream.numRows, 2 * stream.numRows).toSorted(),
    );
  });

  it('gives a row the same number in every epoch, other rows others', async () => {
    const stream = await open({ packing });
    const { numRows } = stream;
    const texts = new Map<number, Set<string>>();
    const batch = await stream.batch(0, 2 * numRows);
    expect(stream.origins(0, 2 * numRows)).toEqual(batch.origins);
    const contents = rowsOf(batch);
    for (const [i, { row, set }] of batch.origins!.entries()) {
      expect(set).toMatchObject({ folder: plain, packing, rowLength: T, seed: 11, numRows });
      texts.set(row, (texts.get(row) ?? new Set()).add(contents[i]!));
    }
    expect([...texts.keys()].toSorted((a, b) => a - b)).toEqual(Array.from({ length: numRows }, (_, i) => i));
    expect([...texts.values()].every((found) => found.size === 1)).toBe(true);
    const digestOf = async (more: Partial<OpenStreamOptions>): Promise<string> =>
      (await open({ packing, ...more })).origins(0, 1)[0]!.set.digest;
    const digests = [{}, {}, { seed: 12 }, { rowLength: 16 }, { shards: masked }, { groupTokens: 900 }].map(digestOf);
    expect(new Set(await Promise.all(digests)).size).toBe(5);
  });

  it('is the same for 1, 2 and 4 ranks', async () => {
    const numSteps = 20;
    const perStep = 8;
    const whole = await rows(await open({ packing }), 0, numSteps * perStep, perStep);
    for (const numRanks of [2, 4]) {
      const blocks: string[] = [];
      const interleaved: string[] = [];
      const streams = await Promise.all(Array.from({ length: numRanks }, () => open({ packing })));
      for (let step = 0; step < numSteps; step++) {
        for (const [rank, stream] of streams.entries()) {
          const share = perStep / numRanks;
          blocks.push(...(await rows(stream, step * perStep + rank * share, share, share)));
          for (let i = rank; i < perStep; i += numRanks)
            interleaved[step * perStep + i] = (await rows(stream, step * perStep + i, 1))[0]!;
        }
      }
      expect(blocks).toEqual(whole);
      expect(interleaved).toEqual(whole);
    }
  });

  it('has targets only where the mask allows them', async () => {
    const stream = await open({ packing, shards: masked });
    const all = await stream.batch(0, stream.numRows);
    const free = await (await open({ packing })).batch(0, stream.numRows);
    expect(all.ids).toEqual(free.ids);
    expect(all.targets).toEqual(free.targets.map((target) => (target % 2 === 1 ? target : -1)));
    expect(all.numTargets).toBe(all.targets.filter((target) => target >= 0).length);
  });
});

describe('openStream', () => {
  it('keeps stored order without shuffling', async () => {
    const stream = await open({ shuffle: false });
    expect(await rows(stream, 0, stream.numRows)).toEqual(await rows(stream, stream.numRows, stream.numRows));
  });

  it('depends on the seed', async () => {
    expect(await rows(await open({ seed: 1 }), 0, 20)).not.toEqual(await rows(await open({ seed: 2 }), 0, 20));
  });

  it('streams several folders as one', async () => {
    const both = await open({ shards: [plain, masked] });
    const [one, two] = [await open(), await open({ shards: masked })];
    expect(both.numRows).toBe(one.numRows + two.numRows);
    const names = new Set((await both.batch(0, both.numRows)).documents.map((name) => name.split('/')[1]));
    expect([...names].toSorted()).toEqual(['masked', 'plain']);
  });

  it('stores the best-fit plan once, and computes a stale or damaged one again', async () => {
    const at = path.join(folder.path, 'stored');
    await writeNumbered(at, 100);
    const expected = await rows(await open({ shards: at, seed: 3 }), 0, 50);
    const file = path.join(at, 'packing-best-fit-32-3.bin');
    const written = statSync(file).mtimeMs;
    expect(await rows(await open({ shards: at, seed: 3 }), 0, 50)).toEqual(expected);
    expect(statSync(file).mtimeMs).toBe(written);
    truncateSync(file, 40);
    expect(await rows(await open({ shards: at, seed: 3 }), 0, 50)).toEqual(expected);
    const bytes = readFileSync(file);
    bytes[5]! ^= 1;
    writeFileSync(file, bytes);
    await expect(rows(await open({ shards: at, seed: 3 }), 0, 50)).rejects.toThrow(
      /packing plan of group 0 is damaged; delete the file/,
    );
    await writeNumbered(at, 120);
    expect(readdirSync(at).filter((name) => name.startsWith('packing'))).toEqual([]);
    expect((await open({ shards: at, seed: 3 })).numRows).toBeGreaterThan(0);
  });

  it('one process writes a plan; what a killed one left is removed; another does without the file', async () => {
    const at = path.join(folder.path, 'held');
    await writeNumbered(at, 100);
    const expected = await rows(await open({ shards: at, seed: 3 }), 0, 50);
    const file = path.join(at, 'packing-best-fit-32-3.bin');
    rmSync(file);
    const packing = (): string[] => readdirSync(at).filter((name) => name.includes('packing'));
    await whileLocked(lockBeside(file), async () => {
      expect(await rows(await open({ shards: at, seed: 3 }), 0, 50)).toEqual(expected);
      expect(packing()).toEqual(['.packing-best-fit-32-3.bin.lock']);
    });
    writeFileSync(path.join(at, '.packing-best-fit-32-3.bin.tmp-99999999-1'), 'half');
    expect(await rows(await open({ shards: at, seed: 3 }), 0, 50)).toEqual(expected);
    expect(packing()).toEqual(['packing-best-fit-32-3.bin']);
  });

  it('refuses what does not fit', async () => {
    await expect(open({ rowLength: 1 })).rejects.toThrow(/rowLength of at least 2, received 1/);
    await expect(open({ vocabSize: 500 })).rejects.toThrow(
      /model's vocabulary of 500, received shards of a vocabulary of 60200/,
    );
    await expect(open({ tokenizerHash: 'c' })).rejects.toThrow(/tokenizer/);
    await expect(open({ shards: [] })).rejects.toThrow(/received none/);
    const other = path.join(folder.path, 'other');
    await writeNumbered(other, 5, { tokenizerHash: 'd'.repeat(64) });
    await expect(open({ shards: [plain, other] })).rejects.toThrow(/another tokenizer/);
    const empty = path.join(folder.path, 'empty');
    await writeNumbered(empty, 0);
    await expect(open({ shards: empty })).rejects.toThrow(/expected shards with documents, received none/);
    await expect((await open()).batch(-1, 2)).rejects.toThrow(/received -1 and 2/);
  });

  it('notices damage while streaming', async () => {
    const at = path.join(folder.path, 'damaged');
    await writeNumbered(at, 100);
    const file = path.join(at, 'shard-00000.arrow');
    const bytes = readFileSync(file);
    bytes[Math.floor(bytes.length / 2)]! ^= 4;
    writeFileSync(file, bytes);
    const stream = await open({ shards: at });
    await expect(rows(stream, 0, stream.numRows)).rejects.toThrow(/shard-00000\.arrow: batch \d+ .* is damaged/);
    rmSync(at, { recursive: true });
  });
});

describe('sequences', () => {
  it('gives documents one by one, truncated', async () => {
    let i = 0;
    for await (const { ids, targets, document } of sequences({ shards: plain, maxLength: 20 })) {
      const whole = numberedDocument(i, sampleLength(i));
      expect(ids).toEqual(whole.slice(0, 20));
      expect([...targets]).toEqual([...whole.slice(1, 21), ...(whole.length <= 20 ? [-1] : [])]);
      expect(document).toMatch(new RegExp(`^plain/shard-\\d+ doc ${i}$`));
      i++;
    }
    expect(i).toBe(COUNT);
  });

  it('chooses some by seed', async () => {
    const names = async (seed: number) => {
      const list: string[] = [];
      for await (const { document } of sequences({ shards: plain, maxLength: 5, maxDocuments: 30, seed }))
        list.push(document);
      return list;
    };
    expect(new Set(await names(1)).size).toBe(30);
    expect(await names(1)).toEqual(await names(1));
    expect(await names(1)).not.toEqual(await names(2));
  });
});
