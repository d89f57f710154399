import { cpSync, existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { tableFromIPC } from 'apache-arrow';
import { EOS, numberedDocument, sampleLength, writeNumbered } from '../../testing/small-shards.js';
import { temporaryFolder } from '../../testing/temporary-folder.js';
import { hashNumbers } from '../order/permutation.js';
import { inspectShards } from '../prepare/inspect-shards.js';
import { crc32, crc32ByTable } from './crc32.js';
import { ShardReader } from './shard-reader.js';
import { ShardWriter } from './shard-writer.js';

const folder = temporaryFolder();
const COUNT = 300;
const whole = path.join(folder.path, 'whole');
let copies = 0;

function copy(): string {
  const to = path.join(folder.path, `copy-${copies++}`);
  cpSync(whole, to, { recursive: true });
  return to;
}

async function readAll(from: string): Promise<void> {
  const reader = await ShardReader.open(from);
  for (const number of reader.batches.keys()) await reader.readBatch(number);
  await reader.lengths(0, reader.batches.length);
}

beforeAll(() => writeNumbered(whole, COUNT));

describe('crc32', () => {
  it('is the standard one, natively and by table', () => {
    const check = Buffer.from('123456789');
    expect(crc32ByTable(check)).toBe(0xcbf43926);
    expect(crc32(check)).toBe(0xcbf43926);
  });
});

describe('shards', () => {
  it('give every document back, in any order', async () => {
    const reader = await ShardReader.open(whole, { cacheBytes: 2000 });
    expect(reader.index.shards.length).toBeGreaterThan(2);
    expect(reader.batches.length).toBeGreaterThan(10);
    for (let k = 0; k < COUNT; k++) {
      const i = (k * 97) % COUNT;
      expect(Int32Array.from((await reader.document(i)).ids)).toEqual(numberedDocument(i, sampleLength(i)));
    }
    expect([...(await reader.lengths(0, reader.batches.length))]).toEqual(
      Array.from({ length: COUNT }, (_, i) => sampleLength(i)),
    );
  });

  it('say where a disk is full, and how much was to be written', async () => {
    const file = await open(path.join(folder.path, 'any'), 'w');
    const failing = jest.spyOn(Object.getPrototypeOf(file) as typeof file, 'appendFile');
    await file.close();
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    const to = path.join(folder.path, 'full');
    failing.mockRejectedValue(full);
    await expect(writeNumbered(to, 3)).rejects.toThrow(
      /full.shard-00000\.arrow: the disk is full: \d+ bytes to write, \d+ bytes free/,
    );
    failing.mockRestore();
  });

  it('are Arrow streams with a list per document', async () => {
    const index = JSON.parse(readFileSync(path.join(whole, 'index.json'), 'utf8')) as { shards: { file: string }[] };
    const rows: number[][] = [];
    for (const { file } of index.shards) {
      const table = tableFromIPC(readFileSync(path.join(whole, file)));
      expect(String(table.schema)).toContain('input_ids: List<Uint16>');
      for (const row of table) rows.push([...(row['input_ids'] as Iterable<number>)]);
    }
    expect(rows).toEqual(Array.from({ length: COUNT }, (_, i) => [...numberedDocument(i, sampleLength(i))]));
  });

  it('refuse an index of which one letter of a key has changed', async () => {
    for (const key of ['batches', 'shards', 'offset', 'lengths', 'crc32']) {
      const file = path.join(copy(), 'index.json');
      cpSync(path.join(whole, 'index.json'), file);
      writeFileSync(file, readFileSync(file, 'utf8').replace(`"${key}"`, `"_${key.slice(1)}"`));
      await expect(ShardReader.open(path.dirname(file))).rejects.toThrow(/index\.json.*run prepare again/s);
    }
  });

  it('keep masks and wide ids', async () => {
    const wide = path.join(folder.path, 'wide');
    const index = await writeNumbered(wide, 20, { vocabSize: 70_000, hasTargetsMask: true });
    expect(index.idType).toBe('uint32');
    const { ids, mask } = await (await ShardReader.open(wide)).document(7);
    expect([...mask!]).toEqual([...ids].map((id) => id % 2));
    const table = tableFromIPC(readFileSync(path.join(wide, index.shards[0]!.file)));
    expect(String(table.schema)).toContain('targets_mask: List<Uint8>');
  });

  it('end every document with EOS', async () => {
    const writer = await ShardWriter.create(path.join(folder.path, 'eos'), options({ hasTargetsMask: true }));
    expect(await writer.add(Int32Array.of(5, 6), Uint8Array.of(0, 1))).toBe(3);
    expect(await writer.add(Int32Array.of(5, EOS), Uint8Array.of(0, 0))).toBe(2);
    await writer.finish();
    const reader = await ShardReader.open(path.join(folder.path, 'eos'));
    expect([[...(await reader.document(0)).ids], [...(await reader.document(0)).mask!]]).toEqual([
      [5, 6, EOS],
      [0, 1, 1],
    ]);
    expect([...(await reader.document(1)).ids]).toEqual([5, EOS]);
  });

  it('read concurrently with a cache smaller than one batch', async () => {
    const reader = await ShardReader.open(whole, { cacheBytes: 1 });
    const documents = await Promise.all(Array.from({ length: COUNT }, (_, i) => reader.document(i)));
    expect(documents.map(({ ids }) => ids.length)).toEqual(Array.from({ length: COUNT }, (_, i) => sampleLength(i)));
  });
});

describe('bad shards', () => {
  it('never hide a flipped bit, wherever it is', async () => {
    const files = readdirSync(whole).sort();
    for (let trial = 0; trial < 150; trial++) {
      const damaged = copy();
      const file = path.join(damaged, files[trial % files.length]!);
      const bytes = readFileSync(file);
      const bit = hashNumbers(trial) % (8 * bytes.length);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      writeFileSync(file, bytes);
      const problems = await inspectShards(damaged).then(
        (inspection) => inspection.problems,
        (error: Error) => [error.message],
      );
      // A flip between values of index.json (a space to another white space) changes nothing that is read.
      const isHarmless =
        file.endsWith('index.json') &&
        JSON.stringify(parse(bytes)) === JSON.stringify(parse(readFileSync(path.join(whole, 'index.json'))));
      if (!isHarmless && problems.length === 0) throw new Error(`bit ${bit} of ${file} flipped unseen`);
      rmSync(damaged, { recursive: true });
    }
  }, 60_000);

  it('name file, batch and remedy when a batch is damaged', async () => {
    const damaged = copy();
    const reader = await ShardReader.open(whole);
    const { shard, offset, bytes } = reader.batches[9]!;
    const data = readFileSync(path.join(damaged, shard));
    data[offset + bytes - 100]! ^= 16;
    writeFileSync(path.join(damaged, shard), data);
    const open = await ShardReader.open(damaged);
    await open.readBatch(8);
    await expect(open.readBatch(9)).rejects.toThrow(
      new RegExp(`${shard}: batch \\d+ \\(documents \\d+-\\d+\\) is damaged.*run prepare again`),
    );
    await expect(open.readBatch(9)).rejects.toThrow(/damaged/);
  });

  it.each([
    [
      'a truncated shard',
      (at: string) => truncateSync(path.join(at, 'shard-00001.arrow'), 500),
      /shard-00001\.arrow: truncated: expected \d+ bytes, received 500/,
    ],
    [
      'a missing shard',
      (at: string) => rmSync(path.join(at, 'shard-00000.arrow')),
      /shard-00000\.arrow: the file is missing; restore it/,
    ],
    ['missing lengths', (at: string) => rmSync(path.join(at, 'lengths.bin')), /lengths\.bin: the file is missing/],
    ['no index', (at: string) => rmSync(path.join(at, 'index.json')), /index\.json: not found.*run prepare/],
    ['half an index', (at: string) => truncateSync(path.join(at, 'index.json'), 300), /index\.json: not valid JSON/],
    [
      'a foreign index',
      (at: string) => writeFileSync(path.join(at, 'index.json'), '{"version": 1}'),
      /expected format "lethe-shards"/,
    ],
  ])('are refused: %s', async (_, damage, message) => {
    const damaged = copy();
    damage(damaged);
    await expect(readAll(damaged)).rejects.toThrow(message);
  });

  it('are refused with another tokenizer', async () => {
    await expect(ShardReader.open(whole, { tokenizerHash: 'b'.repeat(64) })).rejects.toThrow(
      /expected shards of the tokenizer bbbbbbbbbbbb, received aaaaaaaaaaaa; prepare/,
    );
  });

  it('do not exist before the index does', async () => {
    const stopped = copy();
    const writer = await ShardWriter.create(stopped, options());
    expect(existsSync(path.join(stopped, 'index.json'))).toBe(false);
    await writer.add(numberedDocument(0, 9));
    await writer.abandon();
    await expect(ShardReader.open(stopped)).rejects.toThrow(/holds no finished shards/);
  });
});

describe('ShardWriter', () => {
  it.each([
    [
      { idType: 'uint16', vocabSize: 65_537 },
      /id type uint16: expected a vocabulary of 1 to 65536, received 65537; use uint32/,
    ],
    [{ batchBytes: 2 ** 27 }, /batchBytes of 1 to 67108864/],
    [{ eosId: 700 }, /eosId in 0\.\.499, received 700/],
  ] as const)('refuses %j', async (wrong, message) => {
    await expect(ShardWriter.create(path.join(folder.path, 'w'), options(wrong))).rejects.toThrow(message);
  });

  it('refuses ids outside the vocabulary, no ids, and a missing mask', async () => {
    const writer = await ShardWriter.create(path.join(folder.path, 'w'), options());
    await expect(writer.add(Int32Array.of(1, 500))).rejects.toThrow(
      /document 0, token 1: expected an id in 0\.\.499, received 500/,
    );
    await expect(writer.add(Int32Array.of(-1))).rejects.toThrow(/received -1/);
    await expect(writer.add(new Int32Array())).rejects.toThrow(/received none/);
    await expect(writer.add(Int32Array.of(1), Uint8Array.of(1))).rejects.toThrow(
      /mask of length undefined, received 1/,
    );
    await writer.abandon();
  });
});

function options(more: object = {}) {
  return { vocabSize: 500, tokenizerHash: 'a'.repeat(64), eosId: EOS, ...more };
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined; // not JSON any more: not harmless
  }
}
