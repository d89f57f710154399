import type { FollowLanguage } from './follow-item.js';
import { WORDINGS } from './wording.js';

const MARKER = /^\s*\d+[.)、．]\s*/;
const withoutMarker = (text: string): string => text.replace(MARKER, '');

/** What the last level of `format/22` wants at the end. */
const CLOSING = { en: /Those are suggestions[.!]?$/, zh: /这些是建议[。！]?$/ };
/** Most sentences of a paragraph by level, fewest words (characters) of a sentence. */
const WOODEN_TABLE = {
  en: { mostSentences: [2, 2, 2, 2], fewest: 21 },
  zh: { mostSentences: [3, 3, 2, 2], fewest: 20 },
};

/** `format/22`, how to care for a wooden table: three paragraphs; short; long sentences; number markers; the closing. */
export function checkWoodenTable(answer: string, level: number, language: FollowLanguage): boolean {
  const { sentences, length } = WORDINGS[language];
  const { mostSentences, fewest } = WOODEN_TABLE[language];
  const closing = CLOSING[language];
  if (level >= 5 && !closing.test(answer)) return false;
  const text = level >= 5 ? answer.replace(closing, '') : answer;
  const paragraphs = text.split(/\n\s*\n/).filter((paragraph) => withoutMarker(paragraph).trim() !== '');
  if (paragraphs.length !== 3) return false;
  const cut = paragraphs.map((paragraph) => sentences(withoutMarker(paragraph)));
  if (level >= 2 && cut.some((found) => found.length > mostSentences[Math.min(level, 5) - 2])) return false;
  if (level >= 3 && cut.flat().some((sentence) => length(sentence) < fewest)) return false;
  return level < 4 || paragraphs.every((paragraph) => MARKER.test(paragraph));
}

/** Texts that end like sentences, without markers and asterisks; headings and salutations are none. */
const wholeSentences = (text: string): string[] =>
  text
    .split('\n')
    .flatMap((line) => withoutMarker(line.replaceAll('**', '')).split(/(?<=[.!?]["”’)]?)\s+/))
    .filter((piece) => /[.!?]["”’)]?$/.test(piece.trim()));

const KEYWORD_FIRST = /\*\*[^*\n:]+(?::\s*\*\*|\*\*\s*:|:)\s*\S/;

/** `format/30`, a speech on five benefits: marked `**`; a sentence each; 10 to 15 words; no `-ly`; a keyword first. */
export function checkSpeech(answer: string, level: number): boolean {
  const { length } = WORDINGS.en;
  const points = answer.split('\n').filter((line) => line.includes('**'));
  if (points.length === 0) return false;
  if (level >= 2 && points.some((point) => wholeSentences(point).length > 1)) return false;
  if (level >= 3) {
    const lengths = wholeSentences(answer).map(length);
    if (lengths.length === 0 || lengths.some((words) => words < 10 || words > 15)) return false;
  }
  if (level >= 4 && /\p{L}ly(?!\p{L})/iu.test(answer)) return false;
  return level < 5 || points.filter((point) => KEYWORD_FIRST.test(point)).length === 5;
}
