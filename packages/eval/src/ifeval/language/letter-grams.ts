import { isUpper } from '../python-text.js';

const URL = /https?:\/\/[-_.?&~;+=/#0-9A-Za-z]{1,2076}/g;
const MAIL = /[-_.0-9A-Za-z]{1,64}@[-_0-9A-Za-z]{1,255}[-_.0-9A-Za-z]{1,255}/g;
/** Vietnamese letters whose accent is a character of its own. */
const ACCENTED = /[AEIOUYaeiouyÂÊÔâêôĂăƠơƯư][\u0300\u0301\u0303\u0309\u0323]/gu;
const MOST_CHARACTERS = 10_000;

/** Classes of characters whose members tell no language apart, each with what stands for it. */
const CLASSES: [members: RegExp, standsFor: string][] = [
  [/(?![A-Za-z])\p{ASCII}|[\xa0«°»\u2000-\u206f]/u, ' '],
  [/\u0219/u, '\u015f'],
  [/\u021b/u, '\u0163'],
  [/\u06cc/u, '\u064a'],
  [/[\u1ea0-\u1eff]/u, '\u1ec3'],
  [/[\u3040-\u309f]/u, '\u3042'],
  [/[\u30a0-\u30ff]/u, '\u30a2'],
  [/[\u3100-\u312f\u31a0-\u31bf]/u, '\u3105'],
  [/[\uac00-\ud7af]/u, '\uac00'],
];

const normalized = (character: string): string =>
  CLASSES.find(([members]) => members.test(character))?.[1] ?? character;

/** The characters that count: without addresses, and without Latin letters where others are more than twice as many. */
function charactersOf(text: string): string[] {
  const plain = text
    .replace(URL, ' ')
    .replace(MAIL, ' ')
    .replace(ACCENTED, (pair) => pair.normalize('NFC'));
  const characters = Array.from(plain)
    .slice(0, MOST_CHARACTERS)
    .filter((character, i, all) => character !== ' ' || all[i - 1] !== ' ');
  const isLatin = (character: string): boolean => character >= 'A' && character <= 'z';
  const numLatin = characters.filter(isLatin).length;
  const numOthers = characters.filter((character) => character >= '\u0300').length;
  return 2 * numLatin < numOthers ? characters.filter((character) => !isLatin(character)) : characters;
}

/**
 * The n-grams of one to three letters of a text, as langdetect counts them: words begin and end with a space, and
 * nothing is taken from where two capital letters meet to the next small one.
 */
export function letterGrams(text: string): string[] {
  const grams: string[] = [];
  let window = [' '];
  let isCapitals = false;
  for (const character of charactersOf(text)) {
    const next = normalized(character);
    const last = window.at(-1)!;
    if (last === ' ' && next === ' ') window = [' '];
    else window = [...(last === ' ' ? [' '] : window), next].slice(-3);
    isCapitals = isUpper(next) && (isUpper(last) || isCapitals);
    if (isCapitals) continue;
    for (let n = 1; n <= window.length; n++) grams.push(window.slice(-n).join(''));
  }
  return grams.filter((gram) => gram !== ' ');
}
