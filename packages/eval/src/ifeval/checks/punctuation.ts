import type { Checks } from '../instruction.js';

export const punctuationChecks: Checks<'punctuation'> = {
  'punctuation:no_comma': (response) => !response.includes(','),
};
