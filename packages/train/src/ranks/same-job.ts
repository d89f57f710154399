import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { gitRevision, UserError, VERSION } from '@lethe/run';
import { addonFile, type Collectives, vectorCode } from '@lethe/tensor';
import type { TrainRecipe } from '../recipe.js';
import { nameOf, sayOnce } from './together.js';

/** What must be the same on every rank: a name, its value, and what to do where it is not. */
export interface Fact {
  name: string;
  value: string;
  remedy: string;
}

/** Seconds by which the clocks of two machines may differ. */
const CLOCKS = 30;

const sha256 = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex').slice(0, 12);

/** What this rank was started with. */
export function factsOfStart(recipe: TrainRecipe): Fact[] {
  const { commit, isDirty } = gitRevision(dirname(addonFile())) ?? { commit: 'none', isDirty: false };
  const version = `${VERSION}, commit ${commit.slice(0, 12)}${isDirty ? ' with changes' : ''}, addon ${sha256(readFileSync(addonFile()))}`;
  // Ranks may have other numbers of threads.
  const given = JSON.stringify({ ...recipe, threads: undefined });
  return [
    { name: 'version of Lethe', value: version, remedy: 'install the same one on every machine' },
    { name: 'version of Node', value: process.versions.node, remedy: 'install the same one on every machine' },
    { name: 'recipe', value: sha256(given), remedy: 'give every rank the same command' },
    { name: 'vector code', value: vectorCode(), remedy: 'set LETHE_SIMD to the lesser one on every rank' },
  ];
}

/** @throws UserError on every rank, naming the first that has something else than rank 0. */
export async function requireSame(facts: Fact[], ranks: Collectives): Promise<void> {
  const all = (await ranks.gather(JSON.stringify(facts.map(({ value }) => value)))).map(
    (text) => JSON.parse(text) as string[],
  );
  for (const [i, { name, remedy }] of facts.entries()) {
    const rank = all.findIndex((values) => values[i] !== all[0][i]);
    if (rank < 0) continue;
    const other = nameOf({ rank, places: ranks.places });
    const found = `${all[rank][i]}, not ${all[0][i]}`;
    throw sayOnce(new UserError(`${other} has another ${name} than rank 0: ${found}; ${remedy}`), ranks);
  }
}

/** @throws UserError on every rank, naming one whose clock is far from that of rank 0: locks and records tell times. */
export async function requireSameClock(ranks: Collectives, now: () => number = Date.now): Promise<void> {
  await ranks.barrier();
  const all = (await ranks.gather(String(now()))).map(Number);
  const rank = all.findIndex((time) => Math.abs(time - all[0]) > CLOCKS * 1000);
  if (rank < 0) return;
  const other = nameOf({ rank, places: ranks.places });
  const seconds = Math.round((all[rank] - all[0]) / 1000);
  throw sayOnce(
    new UserError(`the clock of ${other} differs from that of rank 0 by ${seconds} s; set it by NTP`),
    ranks,
  );
}
