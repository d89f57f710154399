import type { Checks } from '../instruction.js';
import { strip } from '../python-text.js';

export const combinationChecks: Checks<'combination'> = {
  'combination:repeat_prompt': (response, instruction) =>
    strip(response).toLowerCase().startsWith(strip(instruction.prompt_to_repeat).toLowerCase()),
  // Nothing may be empty but what stands before the first and after the last separator.
  'combination:two_responses': (response) => {
    const parts = response.split('******').map(strip);
    if (parts.slice(1, -1).includes('')) return false;
    const given = parts.filter((part) => part !== '');
    return given.length === 2 && given[0] !== given[1];
  },
};
