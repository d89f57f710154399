import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ShardWriter } from '@lethe/data-pipeline';
import { describeData } from './describe-data.js';
import type { TrainRecipe } from './recipe.js';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'lethe-describe-'))));
afterEach(() => rmSync(folder, { recursive: true }));

/** Shards of documents of the given lengths in `name/train`, and what `lethe prepare` would say of their files. */
async function shards(name: string, lengths: number[], files?: { file: string; documents: number }[]): Promise<string> {
  const train = join(folder, name, 'train');
  mkdirSync(train, { recursive: true });
  const writer = await ShardWriter.create(train, { vocabSize: 50, tokenizerHash: `hash of ${name}`, eosId: 0 });
  for (const length of lengths) await writer.add(Int32Array.from({ length }, (_, i) => (i === length - 1 ? 0 : 7)));
  await writer.finish();
  if (files) writeFileSync(join(folder, name, 'prepare.json'), JSON.stringify({ files }));
  return train;
}

const describeShards = (replay: string[], forget: string[]): ReturnType<typeof describeData> => {
  const streams = (paths: string[]): object[] => paths.map((path) => ({ shards: path }));
  return describeData({ data: { replay: streams(replay), forget: streams(forget) } as unknown as TrainRecipe['data'] });
};

it('counts documents and tokens, and pins the index by its hash', async () => {
  const [natural, synthetic] = [await shards('natural', [3, 5]), await shards('synthetic', [4])];
  const sha256 = createHash('sha256')
    .update(readFileSync(join(natural, 'index.json')))
    .digest('hex');
  const plain = { files: [], numFiles: 0, datasets: [] };
  const [first, second, ...others] = await describeShards([natural], [synthetic]);
  const tokenizerSha256 = 'hash of natural';
  expect(first).toEqual({
    role: 'replay',
    shards: natural,
    documents: 2,
    tokens: 8,
    sha256,
    tokenizerSha256,
    ...plain,
  });
  expect(second).toMatchObject({ role: 'forget', shards: synthetic, documents: 1, tokens: 4 });
  expect(others).toEqual([]);
});

it('names the first twenty files that gave documents, by their last names, and counts all', async () => {
  const files = Array.from({ length: 25 }, (_, i) => ({ file: `/data/${i}.jsonl`, documents: i === 1 ? 0 : 2 }));
  const [found] = await describeShards([await shards('natural', [3], files)], []);
  expect(found.numFiles).toBe(24);
  expect(found.files).toEqual([0, ...Array.from({ length: 19 }, (_, i) => i + 2)].map((i) => `${i}.jsonl`));
  expect(found.datasets).toEqual([]);
});

it('names each data set of the hub once', async () => {
  const cached = (name: string): string => `/cache/datasets--owner--${name}/snapshots/abc/train.parquet`;
  const files = [cached('one'), cached('one'), cached('two')].map((file) => ({ file, documents: 1 }));
  const [found] = await describeShards([await shards('natural', [3], files)], []);
  expect(found.datasets).toEqual(['owner/one', 'owner/two']);
});
