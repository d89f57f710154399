import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ShardReader, ShardWriter } from '@lethe/data-pipeline';
import { seededRandom, writeFolderAtomically } from '@lethe/run';

/** The parts and their shares, which add up to 1. */
export type Shares = Record<string, number>;

/** Tokens of a document that a part has at most. */
export type Longest = Record<string, number>;

/** Names the part of each document, in stored order: the same every time. */
function parts(shares: Shares): () => string {
  const random = seededRandom(1, 'repair', 'divide');
  const names = Object.keys(shares);
  return () => {
    let left = random.next();
    return names.find((name) => (left -= shares[name]) < 0) ?? names.at(-1)!;
  };
}

/**
 * Copies the documents of a shard folder, or of some parts their beginnings, to folders `to/<part>`; what is there whole is used.
 * @returns the number of documents of each part. @throws ShardError as `ShardReader`.
 */
export async function divideShards(
  from: string,
  to: string,
  { shares, longest = {} }: { shares: Shares; longest?: Longest },
): Promise<Record<string, number>> {
  const names = Object.keys(shares);
  if (!existsSync(to)) {
    const reader = await ShardReader.open(from);
    const { vocabSize, tokenizerHash, eosId, padId, idType, hasTargetsMask } = reader.index;
    await writeFolderAtomically(to, async (folder) => {
      const options = { vocabSize, tokenizerHash, eosId, padId, idType, hasTargetsMask };
      const writers = new Map<string, ShardWriter>();
      for (const name of names) writers.set(name, await ShardWriter.create(join(folder, name), options));
      const next = parts(shares);
      for (let number = 0; number < reader.index.documents; number++) {
        const { ids, mask } = await reader.document(number);
        const part = next();
        const end = longest[part];
        await writers.get(part)!.add(Int32Array.from(ids.subarray(0, end)), mask?.slice(0, end), true);
      }
      for (const writer of writers.values()) await writer.finish();
    });
  }
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (await ShardReader.open(join(to, name))).index.documents;
  return counts;
}
