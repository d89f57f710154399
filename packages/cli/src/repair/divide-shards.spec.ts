import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ShardReader, ShardWriter } from '@lethe/data-pipeline';
import { divideShards } from './divide-shards.js';

const NUM_DOCUMENTS = 40;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lethe-divide-'));
  const options = { vocabSize: 100, tokenizerHash: 'a'.repeat(64), eosId: 2, padId: 0, hasTargetsMask: true };
  const writer = await ShardWriter.create(join(folder, 'whole'), options);
  // Document n has n + 2 tokens, all of them n but the last, which is the only target.
  for (let n = 0; n < NUM_DOCUMENTS; n++) {
    const mask = Uint8Array.from({ length: n + 2 }, (_, t) => (t === n + 1 ? 1 : 0));
    await writer.add(
      Int32Array.from({ length: n + 2 }, () => n),
      mask,
      true,
    );
  }
  await writer.finish();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function documentsOf(shards: string): Promise<{ ids: number[]; mask: number[] }[]> {
  const reader = await ShardReader.open(shards);
  const documents = [];
  for (let number = 0; number < reader.index.documents; number++) {
    const { ids, mask } = await reader.document(number);
    documents.push({ ids: [...ids].map(Number), mask: [...mask!] });
  }
  return documents;
}

it('puts every document into one part, those of some parts no further than asked, with the targets that are left', async () => {
  const to = join(folder, 'parts');
  const shares = { train: 0.6, select: 0.4 };
  const counts = await divideShards(join(folder, 'whole'), to, { shares, longest: { select: 10 } });
  const [train, select] = [await documentsOf(join(to, 'train')), await documentsOf(join(to, 'select'))];
  expect(counts).toEqual({ train: train.length, select: select.length });
  expect([...train, ...select].map(({ ids }) => ids[0]).sort((a, b) => a - b)).toEqual(
    Array.from({ length: NUM_DOCUMENTS }, (_, n) => n),
  );
  for (const { ids, mask } of train) expect([ids.length, mask.length]).toEqual([ids[0] + 2, ids[0] + 2]);
  expect(select.some(({ ids }) => ids[0] > 10)).toBe(true);
  for (const { ids, mask } of select) {
    const length = Math.min(10, ids[0] + 2);
    expect([ids.length, mask.length]).toEqual([length, length]);
    expect(mask.filter(Boolean)).toHaveLength(length < ids[0] + 2 ? 0 : 1);
  }
});
