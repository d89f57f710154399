import type { PunktParameters } from './punkt-parameters.js';
import { splitSentences } from './split-sentences.js';

const parameters: PunktParameters = {
  abbreviations: new Set(['dr', 'p.m', 'etc', 'co']),
  collocations: new Set(['##number##\tmen']),
  sentenceStarters: new Set(['then']),
  // `he`: lower case, and upper case at the beginning of sentences only; `smith`: never lower; `men`: lower within;
  // `once`: lower case at the beginning of sentences; `dawn`: the same, and upper case where sentences were unknown.
  orthography: new Map([
    ['he', 2 + 32],
    ['smith', 4],
    ['men', 32],
    ['once', 16],
    ['dawn', 16 + 8],
  ]),
};
const split = (text: string): string[] => splitSentences(text, parameters);

it.each<[why: string, text: string, sentences: string[]]>([
  ['marks', 'One. Two! Three? Four', ['One.', 'Two!', 'Three?', 'Four']],
  ['lines', 'One.\nTwo.\r\nThree\nfour.', ['One.', 'Two.', 'Three\nfour.']],
  ['no mark', 'A title\n\nA text', ['A title\n\nA text']],
  ['an abbreviation', 'Dr. Smith came.', ['Dr. Smith came.']],
  ['after a hyphen', 'The vice-dr. Smith', ['The vice-dr. Smith']],
  ['an abbreviation before a word that begins sentences', 'At 5 p.m. He came.', ['At 5 p.m.', 'He came.']],
  ['a frequent starter', 'And etc. Then more.', ['And etc.', 'Then more.']],
  ['a collocation', 'By No. 3. men came.', ['By No.', '3. men came.']],
  ['an initial before a name', 'J. Smith came.', ['J. Smith came.']],
  ['an initial before a starter', 'By Plan B. He came.', ['By Plan B.', 'He came.']],
  ['a number before small letters', 'In 3. apples grew.', ['In 3. apples grew.']],
  ['a number before small letters that begin sentences', 'In 3. once more.', ['In 3.', 'once more.']],
  ['a number before small letters that may be a name', 'In 3. dawn came.', ['In 3. dawn came.']],
  ['numbers', 'Pi is 3.14 or $3.50. He said.', ['Pi is 3.14 or $3.50.', 'He said.']],
  ['an ellipsis', 'Well... yes. So ... He left.', ['Well... yes.', 'So ...', 'He left.']],
  ['many marks', 'No!!! Really?! Yes', ['No!!!', 'Really?!', 'Yes']],
  ['closing marks', '(He came.) "Did he?" He left.', ['(He came.)', '"Did he?"', 'He left.']],
  ['curly quotes', '\u201cHe came.\u201d He left.', ['\u201cHe came.\u201d', 'He left.']],
  ['a mark within a word', 'See example.com/a?b. He did.', ['See example.com/a?b.', 'He did.']],
  ['space at the ends', ' One. Two. \n', [' One.', 'Two.']],
  ['nothing', ' \n ', []],
  ['no letters', '?', ['?']],
])('%s', (_, text, sentences) => {
  expect(split(text)).toEqual(sentences);
});
