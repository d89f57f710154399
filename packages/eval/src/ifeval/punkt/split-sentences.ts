import { SPACE } from '../python-text.js';
import { markBreaks } from './mark-breaks.js';
import type { PunktParameters } from './punkt-parameters.js';
import { NOT_IN_WORDS, punktTokens } from './punkt-token.js';

/** A mark that may end a sentence, with what follows it: another mark, or a word after white space. */
const MARK = new RegExp(`[.?!](?=(?<after>[${NOT_IN_WORDS}]|(?<gap>[${SPACE}]+)(?<word>[^${SPACE}]+)))`, 'gu');
/** Closing marks that belong to the sentence before. */
const CLOSING = new RegExp(`^["')\\]}‘’“”«»]+?(?:[${SPACE}]+|(?=--)|$)`, 'u');
const ENDS_IN_SPACE = new RegExp(`[${SPACE}]+$`, 'u');

/** A place where a sentence may end. */
interface Candidate {
  /** From the beginning of the word that the mark ends. */
  from: number;
  mark: number;
  /** Where the next sentence would begin. */
  next: number;
  /** The word, the mark and what follows it: what decides. */
  context: string;
}

/** The candidates of a text; of marks that end the same word, the last. */
function candidatesOf(text: string): Candidate[] {
  const candidates: Candidate[] = [];
  let last: Candidate | undefined;
  for (const match of text.matchAll(MARK)) {
    const { after, gap = '', word } = match.groups!;
    const mark = match.index;
    const before = text.slice(last?.mark ?? 0, mark);
    const space = Math.max(...[' ', '\t', '\n', '\r', '\v', '\f'].map((one) => before.lastIndexOf(one)));
    const from = space > 0 ? (last?.mark ?? 0) + space + 1 : (last?.from ?? 0);
    if (last && last.mark <= from) candidates.push(last);
    const next = mark + 1 + (word === undefined ? 0 : gap.length);
    last = { from, mark, next, context: text.slice(from, mark + 1) + after };
  }
  return last ? [...candidates, last] : candidates;
}

function holdsBreak(context: string, parameters: PunktParameters): boolean {
  const tokens = punktTokens(context);
  markBreaks(tokens, parameters);
  return tokens.slice(0, -1).some(({ isBreak }) => isBreak);
}

/** Moves closing marks from the beginning of a piece to the end of the piece before. */
function withClosingMarks(text: string, pieces: readonly [number, number][]): string[] {
  const sentences: string[] = [];
  let moved = 0;
  for (const [i, [from, to]] of pieces.entries()) {
    const next = pieces[i + 1];
    const closing = next && CLOSING.exec(text.slice(...next))?.[0];
    const end = closing === undefined ? to : next[0] + closing.replace(ENDS_IN_SPACE, '').length;
    sentences.push(text.slice(from + moved, end));
    moved = closing?.length ?? 0;
  }
  return sentences.filter((sentence) => sentence !== '');
}

/**
 * The sentences of a text by Punkt (Kiss and Strunk 2006), as nltk 3.10 finds them: each mark that may end a sentence is
 * decided by the word it ends and the token after it, and closing quotes and brackets stay with their sentence.
 */
export function splitSentences(text: string, parameters: PunktParameters): string[] {
  const pieces: [number, number][] = [];
  let begin = 0;
  for (const { mark, next, context } of candidatesOf(text)) {
    if (!holdsBreak(context, parameters)) continue;
    pieces.push([begin, mark + 1]);
    begin = next;
  }
  pieces.push([begin, text.replace(ENDS_IN_SPACE, '').length]);
  return withClosingMarks(text, pieces);
}
