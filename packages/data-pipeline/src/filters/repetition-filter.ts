import { z } from 'zod';
import { type DocumentFilter, filterKind, type Objection, percent, share } from './filter.js';
import { hashWords, ngramKeys, wordsOf } from './words.js';

const byNgram = z.record(z.coerce.number().int().positive(), z.number().min(0).max(1)).optional();

const settings = z.strictObject({
  duplicateLines: share.describe('lines that occurred before, at most (default 0.3)'),
  duplicateParagraphs: share.describe('paragraphs that occurred before, at most (default 0.3)'),
  duplicateLineCharacters: share.describe('characters in such lines, at most (default 0.2)'),
  duplicateParagraphCharacters: share.describe('characters in such paragraphs, at most (default 0.2)'),
  topNgrams: byNgram.describe(
    'characters in the most frequent run of n words, by n (default { 2: 0.2, 3: 0.18, 4: 0.16 })',
  ),
  duplicateNgrams: byNgram.describe(
    'characters in runs of n words that occurred before, by n (default 0.15 for 5 to 0.1 for 10)',
  ),
});

/** The largest shares allowed; defaults are those of Rae et al. 2021 (Gopher), Table A1. */
export type RepetitionOptions = z.output<typeof settings>;

const TABLE_A1: Required<RepetitionOptions> = {
  duplicateLines: 0.3,
  duplicateParagraphs: 0.3,
  duplicateLineCharacters: 0.2,
  duplicateParagraphCharacters: 0.2,
  topNgrams: { 2: 0.2, 3: 0.18, 4: 0.16 },
  duplicateNgrams: { 5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.1 },
};

/**
 * Drops documents that repeat themselves. As in datatrove, a repetition is every occurrence but the first; shares of
 * characters are of those in words, without spaces and punctuation.
 */
export function repetitionFilter(options: RepetitionOptions): DocumentFilter {
  const limits = { ...TABLE_A1, ...options };
  return { name: 'repetition', check: (text) => checkPieces(text, limits) ?? checkNgrams(text, limits) };
}

function checkPieces(text: string, limits: Required<RepetitionOptions>): Objection | undefined {
  const lines = repeated(text.split('\n'));
  const paragraphs = repeated(text.split(/\n{2,}/));
  return (
    over(lines.share, limits.duplicateLines, 'duplicate lines') ??
    over(paragraphs.share, limits.duplicateParagraphs, 'duplicate paragraphs') ??
    over(lines.characters, limits.duplicateLineCharacters, 'characters in duplicate lines') ??
    over(paragraphs.characters, limits.duplicateParagraphCharacters, 'characters in duplicate paragraphs')
  );
}

function checkNgrams(text: string, limits: Required<RepetitionOptions>): Objection | undefined {
  const words = wordsOf(text);
  const hashes = hashWords(words);
  const lengths = Uint32Array.from(words, (word) => word.length);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  for (const [n, limit] of Object.entries(limits.topNgrams)) {
    const found = over(topShare(hashes, lengths, Number(n), total), limit, `characters in the most frequent ${n}-gram`);
    if (found) return found;
  }
  for (const [n, limit] of Object.entries(limits.duplicateNgrams)) {
    const found = over(duplicateShare(hashes, lengths, Number(n), total), limit, `characters in duplicate ${n}-grams`);
    if (found) return found;
  }
  return undefined;
}

function repeated(pieces: string[]): { share: number; characters: number } {
  const seen = new Set<string>();
  let [numPieces, numRepeated, numCharacters, numCharactersRepeated] = [0, 0, 0, 0];
  for (const piece of pieces.map((line) => line.trim())) {
    if (piece === '') continue;
    numPieces++;
    numCharacters += piece.length;
    if (seen.has(piece)) {
      numRepeated++;
      numCharactersRepeated += piece.length;
    } else seen.add(piece);
  }
  return {
    share: numRepeated / Math.max(1, numPieces),
    characters: numCharactersRepeated / Math.max(1, numCharacters),
  };
}

/** Share of the characters that lie in the n-gram that occurs most often, if it occurs twice. */
function topShare(hashes: Uint32Array, lengths: Uint32Array, n: number, total: number): number {
  const counts = new Map<number, { count: number; at: number }>();
  let top = { count: 1, at: 0 };
  for (const [at, key] of ngramKeys(hashes, n).entries()) {
    const entry = counts.get(key);
    if (!entry) counts.set(key, { count: 1, at });
    else if (++entry.count > top.count) top = entry;
  }
  if (top.count < 2) return 0;
  return (top.count * lengths.subarray(top.at, top.at + n).reduce((sum, length) => sum + length, 0)) / total;
}

/** Share of the characters covered by n-grams that occurred before; overlapping ones count once. */
function duplicateShare(hashes: Uint32Array, lengths: Uint32Array, n: number, total: number): number {
  const seen = new Set<number>();
  let covered = 0;
  let numCharacters = 0;
  for (const [at, key] of ngramKeys(hashes, n).entries()) {
    if (!seen.has(key)) {
      seen.add(key);
      continue;
    }
    for (let i = Math.max(covered, at); i < at + n; i++) numCharacters += lengths[i]!;
    covered = at + n;
  }
  return numCharacters / Math.max(1, total);
}

function over(share: number, limit: number, what: string): Objection | undefined {
  return share > limit ? { reason: `more than ${percent(limit)} ${what}`, detail: percent(share) } : undefined;
}

/** Drops what repeats itself. */
export const repetition = filterKind({
  name: 'repetition',
  settings,
  hasDefaults: true,
  description: 'how much documents may repeat themselves; true: Table A1 of the Gopher paper',
  open: repetitionFilter,
});
