import type { Checks } from '../instruction.js';
import { strip } from '../python-text.js';

export const startEndChecks: Checks<'startend'> = {
  'startend:end_checker': (response, instruction) =>
    strip(response)
      .replace(/^"+|"+$/g, '')
      .toLowerCase()
      .endsWith(strip(instruction.end_phrase).toLowerCase()),
  'startend:quotation': (response) => /^".*"$/su.test(strip(response)),
};
