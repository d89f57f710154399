import { type Checks, isRelated, type TextTools } from '../instruction.js';
import { isLower, isUpper } from '../python-text.js';
import { wordTokens } from '../word-tokens.js';

/** A text without letters to tell a language by counts as English, as in the original. */
const isEnglish = (response: string, { language }: TextTools): boolean => (language(response) ?? 'en') === 'en';

export const changeCaseChecks: Checks<'change_case'> = {
  'change_case:capital_word_frequency': (response, instruction, { sentences }) => {
    const words = sentences(response).flatMap(wordTokens);
    return isRelated(words.filter(isUpper).length, instruction.capital_relation, instruction.capital_frequency);
  },
  'change_case:english_capital': (response, _, tools) => isUpper(response) && isEnglish(response, tools),
  'change_case:english_lowercase': (response, _, tools) => isLower(response) && isEnglish(response, tools),
};
