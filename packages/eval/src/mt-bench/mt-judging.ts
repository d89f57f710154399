import { UserError } from '@lethe/run';
import type { JudgeRequest } from '../judge/judge.js';
import {
  type MtPrompt,
  type MtQuestion,
  type MtReferences,
  PROMPT_NAMES,
  REFERENCE_CATEGORIES,
} from './mt-bench-files.js';

/** FastChat's limit for judges behind OpenAI's interface. */
const MAX_TOKENS = 2048;

/** Fills a prompt's names in one pass: what a text holds is never taken for a name. @throws UserError for another name. */
export function fillPrompt({ name, template, place }: MtPrompt, texts: Record<string, string>): string {
  return template.replaceAll(/\{(\w+)\}/g, (_, key: string) => {
    if (Object.hasOwn(texts, key)) return texts[key];
    throw new UserError(
      `${place.file}:${place.line}: ${name}: expected {${Object.keys(texts).join('}, {')}}, received {${key}}`,
    );
  });
}

/** What a judge sees of a question: the answers to its first turn, or to both. */
export interface MtAnswers {
  question: MtQuestion;
  /** One answer: the first turn is judged; two: the second. */
  answers: [string] | [string, string];
}

/** What the judge is asked about an answer: greedy, with the reference answers in maths, reasoning and coding. */
export function mtRequest(
  { question, answers }: MtAnswers,
  prompts: Map<string, MtPrompt>,
  references: MtReferences,
): JudgeRequest {
  const { id, category, turns } = question;
  const hasReference = REFERENCE_CATEGORIES.includes(category);
  const reference = hasReference ? references.answers.get(id)! : undefined;
  const texts: Record<string, string> =
    answers.length === 1
      ? { question: turns[0], answer: answers[0] }
      : { question_1: turns[0], question_2: turns[1], answer_1: answers[0], answer_2: answers[1] };
  if (reference) texts['ref_answer_1'] = reference[0];
  if (reference && answers.length === 2) texts['ref_answer_2'] = reference[1];
  const prompt = prompts.get(PROMPT_NAMES[hasReference ? 'reference' : 'plain'][answers.length - 1])!;
  const messages: JudgeRequest['messages'] = [
    { role: 'system', content: prompt.system },
    { role: 'user', content: fillPrompt(prompt, texts) },
  ];
  return { messages, temperature: 0, maxTokens: MAX_TOKENS };
}

/** The highest rating. */
export const HIGHEST_RATING = 10;

/**
 * The rating of a judgement: the first `[[x]]`, otherwise the first `[x]`. Undefined where there is neither, or it is not
 * between 1 and 10.
 */
export function readRating(judgement: string): number | undefined {
  const found = /\[\[(\d+\.?\d*)\]\]/.exec(judgement) ?? /\[(\d+\.?\d*)\]/.exec(judgement);
  const rating = Number(found?.[1] ?? NaN);
  return rating >= 1 && rating <= HIGHEST_RATING ? rating : undefined;
}
