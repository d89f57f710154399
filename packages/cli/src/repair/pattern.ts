import { sampleDocuments, TEMPLATE_DEFAULTS, TemplateFinder, type Tokenizer } from '@lethe/data-pipeline';
import { type MarkedDocument, markDocuments, patternShares } from './measure.js';
import { patternWords } from './pattern-words.js';
import type { Interval, Pattern, PatternPiece } from './results.js';
import { intervalsOf, meanOf, type Share } from './statistics.js';

/** Tokens of each kind of text that a pattern is looked for in, at most. */
const SAMPLE_TOKENS = 5_000_000;
/** Tokens that stand together are a piece from this many on; so many pieces are shown. */
const [SHORTEST_PIECE, MOST_PIECES] = [2, 12];

/** Words of the pattern that stand together in an answer that has it. */
const PHRASE_OF_ANSWER = 3;

/** Where the pattern was found, and what natural text says of such finds. */
export interface FoundPattern {
  finder: TemplateFinder;
  /** Of one half of the natural text against the other. */
  nullFinder: TemplateFinder;
  /** Documents that each has seen. */
  numSynthetic: number;
  numHalf: number;
}

const specialIds = (tokenizer: Tokenizer): number[] =>
  Array.from({ length: tokenizer.vocabSize }, (_, id) => id).filter((id) => tokenizer.specialText(id) !== undefined);

/** Finds the pattern of synthetic documents beside natural ones, and what the same search finds in halves of the latter. */
export function findPattern(
  { synthetic, natural }: Record<'synthetic' | 'natural', readonly ArrayLike<number>[]>,
  tokenizer: Tokenizer,
): FoundPattern {
  const special = specialIds(tokenizer);
  const half = (which: number): ArrayLike<number>[] => natural.filter((_, i) => i % 2 === which);
  const find = (from: readonly ArrayLike<number>[], against: readonly ArrayLike<number>[]): TemplateFinder =>
    new TemplateFinder({ synthetic: from, natural: against, specialIds: special }, TEMPLATE_DEFAULTS);
  return {
    finder: find(synthetic, natural),
    nullFinder: find(half(0), half(1)),
    numSynthetic: synthetic.length,
    numHalf: half(0).length,
  };
}

/** Documents of shards that a pattern is looked for in. */
export const patternSample = (shards: string): Promise<ArrayLike<number>[]> => sampleDocuments([shards], SAMPLE_TOKENS);

/**
 * Describes the pattern by documents that it was not found in.
 * @returns it, and how many words of each document are its; of natural documents, of what one half has beside the other.
 */
export async function describePattern(
  found: FoundPattern,
  texts: { synthetic: readonly MarkedDocument[]; natural: readonly Int32Array[] },
  tokenizer: Tokenizer,
): Promise<{ pattern: Pattern; words: Record<'synthetic' | 'natural', Share[]> }> {
  const { finder, nullFinder, numHalf } = found;
  const interval = (shares: Share[], name: string): Interval =>
    intervalsOf([shares], ([drawn]) => ({ share: meanOf(drawn) }), name).share;
  const ofNull = markDocuments(nullFinder, texts.natural);
  const own = await wordShares(found, texts.synthetic, tokenizer);
  const ofHalf = await patternWords(ofNull, { finder: nullFinder, numDocuments: numHalf, tokenizer });
  const nullWords = ofHalf.map(({ share }) => share);
  const pattern: Pattern = {
    threshold: finder.threshold,
    documents: texts.synthetic.length,
    tokens: meanOf(patternShares(texts.synthetic)),
    share: interval(own, 'share'),
    null: interval(nullWords, 'null share'),
    pieces: await pieces(texts.synthetic, tokenizer),
  };
  return { pattern, words: { synthetic: own, natural: nullWords } };
}

/** How many words of each document are the pattern's. */
export async function wordShares(
  { finder, numSynthetic }: FoundPattern,
  documents: readonly MarkedDocument[],
  tokenizer: Tokenizer,
): Promise<Share[]> {
  const counts = await patternWords(documents, { finder, numDocuments: numSynthetic, tokenizer });
  return counts.map(({ share }) => share);
}

/** Whether each text has a phrase of the pattern: so many of its words together. */
export async function havePhrase(
  { finder, numSynthetic }: FoundPattern,
  texts: readonly Int32Array[],
  tokenizer: Tokenizer,
): Promise<boolean[]> {
  const counts = await patternWords(markDocuments(finder, texts), { finder, numDocuments: numSynthetic, tokenizer });
  return counts.map(({ longest }) => longest >= PHRASE_OF_ANSWER);
}

/** Runs of the pattern's tokens, those of the most documents first. */
async function pieces(documents: readonly MarkedDocument[], tokenizer: Tokenizer): Promise<PatternPiece[]> {
  const holders = new Map<string, Set<number>>();
  for (const [number, { ids, marks }] of documents.entries()) {
    let start = 0;
    for (let t = 0; t <= ids.length; t++) {
      if (marks[t] === 1) continue;
      const key = ids.slice(start, t).join(',');
      if (t - start >= SHORTEST_PIECE) holders.set(key, (holders.get(key) ?? new Set()).add(number));
      start = t + 1;
    }
  }
  const most = [...holders].sort(([, a], [, b]) => b.size - a.size).slice(0, MOST_PIECES);
  return Promise.all(
    most.map(async ([key, { size }]) => {
      const ids = key.split(',').map(Number);
      return { text: await tokenizer.decode(ids), documents: size, tokens: ids.length };
    }),
  );
}
