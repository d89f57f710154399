import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { hubDatasetOf, type PrepareReport, readShardIndex } from '@lethe/data-pipeline';
import type { RunData } from '@lethe/run';
import type { TrainRecipe } from './recipe.js';

/** Files named in a manifest for each folder of shards, at most. */
const NAMED_FILES = 20;

/** What a recipe's run learns from, for its manifest. @throws ShardError when an index cannot be read. */
export async function describeData({ data }: Pick<TrainRecipe, 'data'>): Promise<RunData[]> {
  const described: RunData[] = [];
  for (const role of ['replay', 'forget'] as const) {
    for (const { shards } of data[role]) {
      const { documents, tokens, tokenizerHash } = await readShardIndex(shards);
      const sha256 = createHash('sha256')
        .update(readFileSync(join(shards, 'index.json')))
        .digest('hex');
      described.push({ role, shards, documents, tokens, sha256, tokenizerSha256: tokenizerHash, ...madeOf(shards) });
    }
  }
  return described;
}

/** What prepare.json beside the shards says; nothing for shards that came without it. */
function madeOf(shards: string): Pick<RunData, 'files' | 'numFiles' | 'datasets'> {
  const file = join(shards, '..', 'prepare.json');
  if (!existsSync(file)) return { files: [], numFiles: 0, datasets: [] };
  const { files } = JSON.parse(readFileSync(file, 'utf8')) as PrepareReport;
  const names = files.filter(({ documents }) => documents > 0).map(({ file: name }) => name);
  return {
    files: names.slice(0, NAMED_FILES).map((name) => basename(name)),
    numFiles: names.length,
    datasets: [...new Set(names.flatMap((name) => hubDatasetOf(name) ?? []))],
  };
}
