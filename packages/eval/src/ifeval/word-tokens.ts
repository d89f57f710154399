import { WORD } from './python-text.js';

/**
 * Rewrites of the Penn Treebank's tokenization in its order, as nltk's `word_tokenize` applies them to a sentence. Only
 * what parts letters from letters is here: quotes become spaces, and marks that end a word stay on it.
 */
const REWRITES: [pattern: RegExp, replacement: string][] = [
  // Quotation marks, and an apostrophe before a word that is no clitic.
  [/["`«“‘„]/gu, ' '],
  [new RegExp(`(?<![${WORD}])'(?!(?:re|ve|ll|m|t|s|d|n)(?![${WORD}]))(?=[${WORD}])`, 'giu'), "' "],
  // The period that ends the sentence, with what closes it.
  [/(?<=[^.])\.(?=[\s\])}>'»”’]*$)/u, ' '],
  [/[:,](?!\p{Nd})/gu, ' '],
  [/\.{2,}|--|''|[;@#$%&?!*()[\]{}<>»”’\u2012-\u2015]/gu, ' '],
  [/$/u, ' '],
  // Clitics, and words that are two.
  [/(?<=[^'\s])(?:'[sSmMdD]|')(?=\s)/gu, ' $&'],
  [/(?<=[^'\s])(?:'ll|'LL|'re|'RE|'ve|'VE|n't|N'T)(?=\s)/gu, ' $&'],
  [/\bcan(?=not\b)|\b(?:gim|lem)(?=me\b)|\bgon(?=na\b)|\bgot(?=ta\b)|\bwan(?=na\s)/giu, '$& '],
  [/\bd(?='ye\b)|\bmore(?='n\b)/giu, '$& '],
];

/** The words of one sentence, clitics apart: `CAN'T` is `CA` and `N'T`. Marks that hold no letters are left out. */
export const wordTokens = (sentence: string): string[] =>
  REWRITES.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), sentence)
    .split(/\s+/)
    .filter((word) => word !== '');
