import type { TemplateFinder, Tokenizer } from '@lethe/data-pipeline';
import type { MarkedDocument } from './measure.js';
import type { Share } from './statistics.js';

/** Words of the pattern that stand together are a phrase from this many on. */
const PHRASE = 2;
/** A word by itself counts where this share of the synthetic documents has it so: names of a subject are rarer. */
const COMMON = 0.1;

/** A text with what is known of each of its characters. */
interface MarkedText {
  text: string;
  isPattern: boolean[];
  isCommon: boolean[];
}

/** The texts of tokens as they stand within a text, where a leading space is kept. */
async function tokenTexts(tokenizer: Tokenizer): Promise<(id: number) => Promise<string>> {
  const [before] = await tokenizer.encodeBatch(['a'], { addSpecialTokens: false });
  const start = (await tokenizer.decode(before)).length;
  const known = new Map<number, string>();
  return async (id) => {
    let text = known.get(id);
    if (text === undefined) {
      text = (await tokenizer.decode([...before, id])).slice(start);
      known.set(id, text);
    }
    return text;
  };
}

const segmenter = new Intl.Segmenter(undefined, { granularity: 'word' });

/** What is found of the pattern in a text. */
export interface WordCounts {
  /** Its words, and all words. */
  share: Share;
  /** Its words that stand together, at most. */
  longest: number;
}

/** A word is the pattern's where all of its characters are. */
function countWords({ text, isPattern, isCommon }: MarkedText): WordCounts {
  let [found, words, longest] = [0, 0, 0];
  let phrase: boolean[] = [];
  const close = (): void => {
    longest = Math.max(longest, phrase.length);
    found += phrase.length >= PHRASE ? phrase.length : phrase.filter(Boolean).length;
    phrase = [];
  };
  for (const { index, segment, isWordLike } of segmenter.segment(text)) {
    if (!isWordLike) continue;
    words++;
    const holds = (flags: boolean[]): boolean => flags.slice(index, index + segment.length).every(Boolean);
    if (holds(isPattern)) phrase.push(holds(isCommon));
    else close();
  }
  close();
  return { share: [found, words], longest };
}

/**
 * How many words of each document are the pattern's: those of phrases that many synthetic documents share, and single words
 * that very many do. Words, since a name of a subject is many tokens in one tokenizer and one in another.
 * @param numDocuments that the finder has seen.
 */
export async function patternWords(
  documents: readonly MarkedDocument[],
  { finder, numDocuments, tokenizer }: { finder: TemplateFinder; numDocuments: number; tokenizer: Tokenizer },
): Promise<WordCounts[]> {
  const textOf = await tokenTexts(tokenizer);
  const counts: WordCounts[] = [];
  for (const { ids, marks } of documents) {
    const support = finder.support(ids);
    const marked: MarkedText = { text: '', isPattern: [], isCommon: [] };
    for (let t = 0; t < ids.length; t++) {
      const piece = tokenizer.specialText(ids[t]) === undefined ? await textOf(ids[t]) : ' ';
      marked.text += piece;
      for (let i = 0; i < piece.length; i++) {
        marked.isPattern.push(marks[t] === 1);
        marked.isCommon.push(support[t] >= COMMON * numDocuments);
      }
    }
    counts.push(countWords(marked));
  }
  return counts;
}
