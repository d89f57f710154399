import { documentText, readDocuments, type Tokenizer } from '@lethe/data-pipeline';
import { type Random, seededRandom } from '@lethe/run';
import { markDocuments } from './measure.js';
import { type FoundPattern, wordShares } from './pattern.js';
import type { FileShare, Interval, Mixture } from './results.js';
import { intervalsOf, type Share } from './statistics.js';

/** A document is without the pattern where it holds this part of what documents hold on average, or no more than natural text. */
const NEXT_TO_NONE = 1 / 4;
/** The part of natural documents whose share, by the same search in halves of the natural text, a document must exceed. */
const OF_NATURAL = 0.95;
/** From this part of documents without the pattern on, the whole interval above it, the text is of more than one kind. */
const MIXED = 0.1;
/** Documents that are read in all, and taken of each of so many files, at most. */
const [MOST_READ, OF_EACH, MOST_FILES] = [200_000, 200, 50];
/** Tokens of a document that are looked at. */
const LONGEST = 512;

const partOf = ([found, words]: Share): number => (words === 0 ? 0 : found / words);

/** Whether documents of the synthetic text lack the pattern that the others share: their shares of its words, one by one. */
export function mixtureOf(own: readonly Share[], natural: readonly Share[]): Omit<Mixture, 'files'> {
  const parts = own.map(partOf);
  const mean = parts.reduce((sum, part) => sum + part, 0) / parts.length;
  const sorted = natural.map(partOf).toSorted((a, b) => a - b);
  const usual = sorted[Math.min(sorted.length - 1, Math.floor(OF_NATURAL * sorted.length))] ?? 0;
  const limit = Math.max(usual, NEXT_TO_NONE * mean);
  const without: Interval = intervalsOf(
    [parts],
    ([drawn]) => ({ without: drawn.filter((part) => part <= limit).length / drawn.length }),
    'without the pattern',
  ).without;
  return { without, limit, natural: usual, isMixed: without.low >= MIXED };
}

/** Documents of files, drawn evenly from what is read of each. */
async function drawnByFile(sources: readonly string[], random: Random): Promise<Map<string, string[]>> {
  const drawn = new Map<string, string[]>();
  const seen = new Map<string, number>();
  let numRead = 0;
  for await (const document of readDocuments(sources)) {
    const { file } = document.place;
    const texts = drawn.get(file) ?? [];
    if (texts.length === 0 && drawn.size === MOST_FILES) break;
    drawn.set(file, texts);
    const number = seen.get(file) ?? 0;
    seen.set(file, number + 1);
    const place = number < OF_EACH ? number : random.int(number + 1);
    if (place < OF_EACH) texts[place] = documentText(document);
    if (++numRead === MOST_READ) break;
  }
  return drawn;
}

/** How much of the pattern the documents of each file hold. */
export async function shareOfFiles(
  sources: readonly string[],
  pattern: FoundPattern,
  { limit, tokenizer }: { limit: number; tokenizer: Tokenizer },
): Promise<FileShare[]> {
  const files: FileShare[] = [];
  for (const [file, texts] of await drawnByFile(sources, seededRandom(1, 'repair', 'mixture'))) {
    const ids = (await tokenizer.encodeBatch(texts)).map((one) => Int32Array.from(one.slice(0, LONGEST)));
    const shares = await wordShares(pattern, markDocuments(pattern.finder, ids), tokenizer);
    const [found, words] = shares.reduce(([a, b], [c, d]) => [a + c, b + d], [0, 0]);
    const numWithout = shares.filter((share) => partOf(share) <= limit).length;
    files.push({ file, documents: shares.length, without: numWithout, share: partOf([found, words]) });
  }
  return files;
}

const percent = (part: number): string => `${(100 * part).toFixed(0)}%`;

/** What to do about a text of more than one kind, by file; undefined where it is of one. */
export function mixtureText({ isMixed, without, files }: Mixture): string | undefined {
  if (!isMixed) return undefined;
  const { value, low, high } = without;
  const lead = `${percent(value)} [${percent(low)}, ${percent(high)}] of the synthetic documents hold next to none of the pattern that the others share`;
  const plain = files.filter((file) => file.without > file.documents / 2).map(({ file }) => file);
  const counts = files.map((file) => `${file.file}: ${file.without} of ${file.documents}`).join(', ');
  const remedy =
    plain.length > 0 && plain.length < files.length
      ? `leave ${plain.join(', ')} out of --synthetic, and add to --natural what the model is to keep of it`
      : 'put them into a file of their own and leave it out of --synthetic; add to --natural what the model is to keep of it';
  return `${lead}${counts ? ` (${counts} looked at)` : ''}. Forgetting them costs what they say and weakens the repair: ${remedy}`;
}
