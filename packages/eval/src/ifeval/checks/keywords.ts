import { type Checks, countOf, isRelated } from '../instruction.js';
import { literally, strip, WORD } from '../python-text.js';

/** Found anywhere, within longer words too; case does not matter. */
const anywhere = (keyword: string): RegExp => new RegExp(literally(keyword), 'giu');
/** Between the ends of words. */
const BOUNDARY = `(?:(?<=[${WORD}])(?![${WORD}])|(?<![${WORD}])(?=[${WORD}]))`;
const asWord = (keyword: string): RegExp => new RegExp(`${BOUNDARY}${literally(keyword)}${BOUNDARY}`, 'iu');

export const keywordChecks: Checks<'keywords'> = {
  'keywords:existence': (response, { keywords }) => keywords.every((keyword) => anywhere(keyword).test(response)),
  'keywords:forbidden_words': (response, instruction) =>
    !instruction.forbidden_words.some((keyword) => asWord(keyword).test(response)),
  'keywords:frequency': (response, { keyword, relation, frequency }) =>
    isRelated(countOf(response, anywhere(strip(keyword))), relation, frequency),
  'keywords:letter_frequency': (response, instruction) => {
    const letter = instruction.letter.toLowerCase();
    const count = Array.from(response.toLowerCase()).filter((character) => character === letter).length;
    return isRelated(count, instruction.let_relation, instruction.let_frequency);
  },
};
