import { type Checks, countOf } from '../instruction.js';
import { literally, SPACE, strip } from '../python-text.js';

const ANSWERS = ['My answer is yes.', 'My answer is no.', 'My answer is maybe.'];
/** A line that begins with one asterisk, or with a dash; blank lines may come before. */
const STARS = new RegExp(`(?<![^\\n])[${SPACE}]*\\*[^*][^\\n]*`, 'gu');
const DASHES = new RegExp(`(?<![^\\n])[${SPACE}]*-[^\\n]*`, 'gu');

/** The text without a code fence around it. */
function unfenced(response: string): string {
  const opened = ['```json', '```Json', '```JSON', '```'].reduce(
    (text, fence) => (text.startsWith(fence) ? text.slice(fence.length) : text),
    strip(response),
  );
  return strip(opened.endsWith('```') ? opened.slice(0, -3) : opened);
}

/** Python's JSON also has these numbers. */
const STRINGS_AND_NUMBERS = /"(?:[^"\\]|\\.)*"|-?Infinity|NaN/gsu;

function isJson(text: string): boolean {
  try {
    JSON.parse(text.replace(STRINGS_AND_NUMBERS, (part) => (part.startsWith('"') ? part : '0')));
    return true;
  } catch {
    return false; // A response that is not JSON does not follow the instruction; that is the measurement.
  }
}

export const detectableFormatChecks: Checks<'detectable_format'> = {
  'detectable_format:constrained_response': (response) => ANSWERS.some((answer) => response.includes(answer)),
  'detectable_format:json_format': (response) => isJson(unfenced(response)),
  'detectable_format:multiple_sections': (response, { section_spliter, num_sections }) => {
    const heading = new RegExp(`${literally(strip(section_spliter))}[${SPACE}]?\\p{Nd}+`, 'gu');
    return countOf(response, heading) >= num_sections;
  },
  'detectable_format:number_bullet_lists': (response, instruction) =>
    countOf(response, STARS) + countOf(response, DASHES) === instruction.num_bullets,
  // What stands between two asterisks; what stands between two pairs counts once more.
  'detectable_format:number_highlighted_sections': (response, instruction) => {
    const once = response.match(/\*[^\n*]*\*/gu) ?? [];
    const twice = response.match(/\*\*[^\n*]*\*\*/gu) ?? [];
    const filled = [...once, ...twice].filter((highlight) => strip(highlight.replaceAll('*', '')) !== '');
    return filled.length >= instruction.num_highlights;
  },
  'detectable_format:title': (response) =>
    (response.match(/<<[^\n]+>>/gu) ?? []).some((title) => strip(title.replace(/^<+|>+$/g, '')) !== ''),
};
