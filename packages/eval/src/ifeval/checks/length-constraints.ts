import { type Checks, countOf, isRelated } from '../instruction.js';
import { SPACE, splitAtSpace, strip } from '../python-text.js';

const DIVIDER = new RegExp(`[${SPACE}]?\\*\\*\\*[${SPACE}]?`, 'u');
/** As nltk 3.10 counts words, with the marks that belong to letters; Python's own `\w` leaves those out. */
const WORDS = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]+/gu;

/** A paragraph's first word in lower case, up to a punctuation mark; quotation marks may come before. */
const firstWord = (paragraph: string): string =>
  splitAtSpace(paragraph)[0]
    .replace(/^'+/, '')
    .replace(/^"+/, '')
    .replace(/[.,?!'"].*$/su, '')
    .toLowerCase();

export const lengthChecks: Checks<'length_constraints'> = {
  // Paragraphs that are blank are not counted, but the nth is: the original does so.
  'length_constraints:nth_paragraph_first_word': (response, { num_paragraphs, nth_paragraph, first_word }) => {
    const paragraphs = response.split('\n\n').map(strip);
    const numFilled = paragraphs.filter((paragraph) => paragraph !== '').length;
    const nth = paragraphs[nth_paragraph - 1];
    if (nth_paragraph > numFilled || nth === '') return false;
    return numFilled === num_paragraphs && firstWord(nth) === first_word.toLowerCase();
  },
  // Only what stands before the first and after the last divider may be blank.
  'length_constraints:number_paragraphs': (response, instruction) => {
    const paragraphs = response.split(DIVIDER).map(strip);
    if (paragraphs.slice(1, -1).includes('')) return false;
    return paragraphs.filter((paragraph) => paragraph !== '').length === instruction.num_paragraphs;
  },
  'length_constraints:number_sentences': (response, { relation, num_sentences }, { sentences }) =>
    isRelated(sentences(response).length, relation, num_sentences),
  'length_constraints:number_words': (response, { relation, num_words }) =>
    isRelated(countOf(response, WORDS), relation, num_words),
};
