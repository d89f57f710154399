import type { Place } from '@lethe/data-pipeline';

/** The letters of choices, in order. */
export const LETTERS = ['A', 'B', 'C', 'D'] as const;

/** A question with four choices. */
export interface ChoiceQuestion {
  question: string;
  choices: [string, string, string, string];
  /** Index of the right choice. */
  answer: number;
  /** File and line where it begins. */
  place?: Place;
}

/** One subject: the shots shown before each question, and the questions asked. */
export interface ChoiceSubject {
  /** As files name it: `abstract_algebra`. */
  name: string;
  /** As prompts name it: `abstract algebra`, `农学`. */
  title: string;
  /** Categories whose averages it enters. */
  categories: string[];
  shots: ChoiceQuestion[];
  questions: ChoiceQuestion[];
}
