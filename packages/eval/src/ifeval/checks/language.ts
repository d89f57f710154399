import type { Checks } from '../instruction.js';

export const languageChecks: Checks<'language'> = {
  // A text without letters to tell a language by counts as followed, as in the original.
  'language:response_language': (response, instruction, { language }) =>
    (language(response) ?? instruction.language) === instruction.language,
};
