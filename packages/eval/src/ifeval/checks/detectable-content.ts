import { type Checks, countOf } from '../instruction.js';
import { SPACE } from '../python-text.js';

/** Upper or lower case; with a space between the letters or without. */
const POSTSCRIPTS = {
  'P.S.': new RegExp(`p\\.[${SPACE}]?s\\.`, 'u'),
  'P.P.S': new RegExp(`p\\.[${SPACE}]?p\\.[${SPACE}]?s`, 'u'),
};

export const detectableContentChecks: Checks<'detectable_content'> = {
  'detectable_content:number_placeholders': (response, instruction) =>
    countOf(response, /\[[^\n]*?\]/gu) >= instruction.num_placeholders,
  'detectable_content:postscript': (response, instruction) =>
    POSTSCRIPTS[instruction.postscript_marker].test(response.toLowerCase()),
};
