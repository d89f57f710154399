import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '@lethe/run';

/** What a Punkt model has learned about a language (Kiss and Strunk 2006). Types are words in lower case. */
export interface PunktParameters {
  /** Types that end in a period without ending a sentence, without that period. */
  abbreviations: ReadonlySet<string>;
  /** Pairs of types, joined by a tab, whose first ends in a period and goes with the second. */
  collocations: ReadonlySet<string>;
  /** Types that often begin sentences. */
  sentenceStarters: ReadonlySet<string>;
  /** How a type was seen: {@link SEEN} added up. */
  orthography: ReadonlyMap<string, number>;
}

/** Where a type was seen, in upper or in lower case: at the beginning of sentences, within them, or unknown. */
export const SEEN = {
  upperWithin: 4,
  upper: 2 + 4 + 8,
  lowerAtBeginning: 16,
  lower: 16 + 32 + 64,
} as const;

/** The files of a Punkt model, as nltk's `punkt_tab` has them. */
export const PUNKT_FILES = ['abbrev_types.txt', 'collocations.tab', 'sent_starters.txt', 'ortho_context.tab'] as const;

/** Reads a Punkt model. @throws UserError with file and line. */
export function readPunkt(folder: string): PunktParameters {
  const [abbreviations, collocations, sentenceStarters, orthography] = PUNKT_FILES.map((name) => {
    const lines = readFileSync(join(folder, name), 'utf8').split('\n');
    return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
  });
  const contexts = orthography.map((line, i): [string, number] => {
    const [type, seen] = line.split('\t');
    if (/^\d+$/.test(seen)) return [type, Number(seen)];
    throw new UserError(
      `${join(folder, PUNKT_FILES[3])}:${i + 1}: expected a word, a tab and a number; copy the file again`,
    );
  });
  return {
    abbreviations: new Set(abbreviations),
    collocations: new Set(collocations),
    sentenceStarters: new Set(sentenceStarters),
    orthography: new Map(contexts),
  };
}
