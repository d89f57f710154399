import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomically } from '@lethe/run';
import type { Regime } from '../regime.js';

/**
 * Writes the ordinary text that a user would give `lethe repair` of a corpus: its natural text, with as much prose in which people
 * name things as the regime's repairs replay.
 * @param corpus folder of the corpus. @returns the file.
 */
export function writeOrdinaryText(file: string, corpus: string, { replayAbilityShare: share }: Regime): string {
  const read = (name: string): string[] =>
    readFileSync(join(corpus, `${name}.jsonl`), 'utf8')
      .trimEnd()
      .split('\n');
  const [natural, ability] = [read('natural'), read('ability')];
  const sizeOf = (lines: readonly string[]): number => lines.reduce((sum, { length }) => sum + length, 0);
  const wanted = (share / (1 - share)) * sizeOf(natural);
  const kept = Math.round((ability.length * wanted) / sizeOf(ability));
  writeFileAtomically(file, `${[...natural, ...ability.slice(0, kept)].join('\n')}\n`);
  return file;
}
