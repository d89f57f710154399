import { wordTokens } from './word-tokens.js';

it.each([
  ["I'M SURE, THEY'LL.", ['I', "'M", 'SURE', 'THEY', "'LL"]],
  ["CAN'T CANNOT gonna D'YE", ['CA', "N'T", 'CAN', 'NOT', 'gon', 'na', 'D', "'YE"]],
  ['WELL-KNOWN AND/OR A--B', ['WELL-KNOWN', 'AND/OR', 'A', 'B']],
  ['A,B:C 1,000 5:30', ['A', 'B', 'C', '1,000', '5:30']],
  ['U.S.A. e.g. END...OR.', ['U.S.A.', 'e.g.', 'END', 'OR']],
  ['(ONE)[TWO] <<THREE>> *FOUR* "FIVE" FIVE\u2014SIX', ['ONE', 'TWO', 'THREE', 'FOUR', 'FIVE', 'FIVE', 'SIX']],
  ["'QUOTED' O'CLOCK DOGS' A-'B", ["'", 'QUOTED', "'", "O'CLOCK", 'DOGS', "'", 'A-', "'", 'B']],
  ['', []],
])('%j', (sentence, words) => {
  expect(wordTokens(sentence)).toEqual(words);
});
