import type { ChoiceQuestion, ChoiceSubject } from './mmlu-files.js';

const LETTERS = ['A', 'B', 'C', 'D'] as const;

function block({ question, choices }: ChoiceQuestion): string {
  return `${question}\n${choices.map((choice, i) => `${LETTERS[i]}. ${choice}`).join('\n')}\nAnswer:`;
}

/** The shots of a subject as MMLU's own code writes them (Hendrycks et al. 2021), two spaces before the subject included. */
export function mmluPrefix({ name, shots }: ChoiceSubject, numShots: number): string {
  const header = `The following are multiple choice questions (with answers) about  ${name.replaceAll('_', ' ')}.\n\n`;
  return (
    header +
    shots
      .slice(0, numShots)
      .map((shot) => `${block(shot)} ${LETTERS[shot.answer]}\n\n`)
      .join('')
  );
}

/** The question that follows the prefix, up to `Answer:`. */
export const mmluQuestion = (question: ChoiceQuestion): string => block(question);
