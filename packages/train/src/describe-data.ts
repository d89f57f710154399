import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { hubDatasetOf, type PrepareReport, readShardIndex } from '@lethe/data-pipeline';
import { readJsonFile, type RunData } from '@lethe/run';
import type { ForgetSpan } from './forget-span.js';
import type { TrainRecipe } from './recipe.js';

/** Files named in a manifest for each folder of shards, at most. */
const NAMED_FILES = 20;

/** Data of a run, with the tokens that are forgotten where these are not all. */
export interface DescribedData extends RunData {
  span?: ForgetSpan;
}

/** What a recipe's run learns from, for its manifest. @throws ShardError when an index cannot be read. */
export async function describeData(
  { data }: Pick<TrainRecipe, 'data'>,
  spans: readonly ForgetSpan[] = [],
): Promise<DescribedData[]> {
  const described: DescribedData[] = [];
  for (const role of ['replay', 'forget'] as const) {
    for (const { shards } of data[role]) {
      const { documents, tokens, tokenizerHash } = await readShardIndex(shards);
      const sha256 = createHash('sha256')
        .update(readFileSync(join(shards, 'index.json')))
        .digest('hex');
      const span = role === 'forget' ? spans.find((found) => found.shards === shards) : undefined;
      const known = { role, shards, documents, tokens, sha256, tokenizerSha256: tokenizerHash, ...madeOf(shards) };
      described.push({ ...known, ...(span && { span }) });
    }
  }
  return described;
}

/** What prepare.json beside the shards says; nothing for shards that came without it. */
function madeOf(shards: string): Pick<RunData, 'files' | 'numFiles' | 'datasets'> {
  const file = join(shards, '..', 'prepare.json');
  if (!existsSync(file)) return { files: [], numFiles: 0, datasets: [] };
  const { files } = readJsonFile(file) as PrepareReport;
  const names = files.filter(({ documents }) => documents > 0).map(({ file: name }) => name);
  return {
    files: names.slice(0, NAMED_FILES).map((name) => basename(name)),
    numFiles: names.length,
    datasets: [...new Set(names.flatMap((name) => hubDatasetOf(name) ?? []))],
  };
}
