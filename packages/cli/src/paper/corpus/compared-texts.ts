import type { Random } from '@lethe/run';
import { naturalSources } from './natural-text.js';

/** What is compared: synthetic with natural text, two halves of the natural text, and its two sources. */
export const PAIRS = ['synthetic', 'halves', 'sources'] as const;
export type Pair = (typeof PAIRS)[number];

/** Documents of both sides of each pair, `count` or, of sources, as many as are left. */
export type ComparedTexts = Record<Pair, [string[], string[]]>;

/** Natural documents that no model is trained on, and synthetic ones. */
export function comparedTexts(
  trained: readonly string[],
  synthetic: (count: number, random: Random) => string[],
  count: number,
  random: Random,
): ComparedTexts {
  const known = new Set(trained);
  const { speeches, chapters } = naturalSources();
  const unseen = (texts: string[]): string[] => random.shuffle(texts.filter((text) => !known.has(text)));
  const [fromSpeeches, fromChapters] = [unseen(speeches), unseen(chapters)];
  const natural = random.shuffle([...fromSpeeches.splice(count), ...fromChapters.splice(count)]);
  const [first, second] = [natural.slice(0, count), natural.slice(count, 2 * count)];
  return {
    synthetic: [synthetic(count, random), first],
    halves: [second, first],
    sources: [fromSpeeches, fromChapters],
  };
}
