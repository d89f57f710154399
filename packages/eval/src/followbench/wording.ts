import type { FollowLanguage } from './follow-item.js';

/** How a language is cut and counted. */
export interface Wording {
  /** What lies between the marks that end sentences; blank pieces are none. */
  sentences: (text: string) => string[];
  /** Words of English, characters of Chinese. */
  length: (text: string) => number;
  has: (text: string, word: string) => boolean;
  numPunctuation: (text: string) => number;
}

const split = (text: string, ends: RegExp): string[] => text.split(ends).filter((piece) => piece.trim() !== '');

const ASCII_PUNCTUATION = String.raw`!-/:-@[-\`{-~`;

const english: Wording = {
  sentences: (text) => split(text, /[.!?]/),
  length: (text) => text.split(/\s+/).filter((word) => word !== '').length,
  has: (text, word) => new RegExp(String.raw`(?<![\p{L}\p{N}_])${word}(?![\p{L}\p{N}_])`, 'u').test(text),
  numPunctuation: (text) => text.match(new RegExp(`[${ASCII_PUNCTUATION}]`, 'g'))?.length ?? 0,
};

const chinese: Wording = {
  sentences: (text) => split(text, /[。！？]/),
  length: (text) => [...text.trim()].length,
  has: (text, word) => text.includes(word),
  numPunctuation: (text) => text.match(new RegExp(`[${ASCII_PUNCTUATION}，。：’“”]`, 'g'))?.length ?? 0,
};

export const WORDINGS: Record<FollowLanguage, Wording> = { en: english, zh: chinese };
