import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Place } from '@lethe/data-pipeline';
import { UserError } from '@lethe/run';
import { z } from 'zod';
import { readRows, wrongRow } from '../items/read-rows.js';

/** A question of two turns. */
export interface MtQuestion {
  id: string;
  category: string;
  turns: [string, string];
  place: Place;
}

const questionRow = z.object({
  question_id: z.int(),
  category: z.string(),
  turns: z.tuple([z.string(), z.string()]),
});
const answerRow = z.object({
  question_id: z.int(),
  choices: z.array(z.object({ turns: z.tuple([z.string(), z.string()]) })).min(1),
});
const promptRow = z.object({
  name: z.string(),
  type: z.string(),
  system_prompt: z.string(),
  prompt_template: z.string(),
  output_format: z.string(),
});

const questionId = { name: 'question_id', of: ({ question_id }: { question_id: number }) => question_id };

/** MT-Bench's questions. @throws UserError with file and line. */
export function readMtQuestions(folder: string): MtQuestion[] {
  const file = join(folder, 'question.jsonl');
  const rows = readRows(file, { benchmark: 'MT-Bench', schema: questionRow, id: questionId });
  return rows.map(({ question_id, category, turns, place }) => ({ id: String(question_id), category, turns, place }));
}

/** Categories whose judges see a reference answer. */
export const REFERENCE_CATEGORIES: readonly string[] = ['math', 'reasoning', 'coding'];

/** Answers to compare with, of both turns by question, and the file they are from. */
export interface MtReferences {
  file: string;
  answers: Map<string, [string, string]>;
}

/** The corrected answers come first: 13 of the 30 of `gpt-4.jsonl` are wrong. */
const REFERENCE_FILES = ['gpt-4-0125-preview.jsonl', 'gpt-4.jsonl'];

/**
 * The reference answers in `reference_answer/` of a folder: the corrected ones where they are there.
 * @param name another file of that folder. @throws UserError where there is none, or a question has no reference.
 */
export function readMtReferences(folder: string, questions: readonly MtQuestion[], name?: string): MtReferences {
  const names = name === undefined ? REFERENCE_FILES : [name];
  const files = names.map((one) => join(folder, 'reference_answer', one));
  const file = files.find((one) => existsSync(one));
  if (file === undefined) throw new UserError(`expected MT-Bench's reference answers in ${files.join(' or ')}`);
  const rows = readRows(file, { benchmark: "MT-Bench's reference answers", schema: answerRow, id: questionId });
  const answers = new Map(rows.map(({ question_id, choices }) => [String(question_id), choices[0].turns]));
  const lacking = questions.find(({ id, category }) => REFERENCE_CATEGORIES.includes(category) && !answers.has(id));
  if (lacking) throw new UserError(`${file}: no reference answer to question ${lacking.id} (${lacking.category})`);
  return { file: basename(file), answers };
}

/** A prompt for the judge, with `{name}` where texts go. */
export interface MtPrompt {
  name: string;
  system: string;
  template: string;
  place: Place;
}

/** The prompts of single-answer grading: with a reference answer or without, after the first turn or the second. */
export const PROMPT_NAMES = {
  plain: ['single-v1', 'single-v1-multi-turn'],
  reference: ['single-math-v1', 'single-math-v1-multi-turn'],
} as const;

/**
 * `judge_prompts.jsonl` in a folder, or beside it as FastChat has it.
 * @throws UserError where there is none, or it lacks one of the four prompts of single-answer grading.
 */
export function readMtPrompts(folder: string): Map<string, MtPrompt> {
  const files = [join(folder, 'judge_prompts.jsonl'), join(folder, '..', 'judge_prompts.jsonl')];
  const file = files.find((one) => existsSync(one));
  if (file === undefined) throw new UserError(`${files[0]}: no such file; FastChat has it in fastchat/llm_judge/data`);
  const rows = readRows(file, { benchmark: "MT-Bench's judge prompts", schema: promptRow }).filter(
    ({ type }) => type === 'single',
  );
  const prompts = new Map(
    rows.map(({ name, system_prompt, prompt_template, place }) => [
      name,
      { name, system: system_prompt, template: prompt_template, place },
    ]),
  );
  for (const { name, output_format, place } of rows) {
    if (output_format !== '[[rating]]')
      throw wrongRow(
        place,
        `${name}: expected the output_format [[rating]], received ${output_format}`,
        "correct the row; FastChat's own file is in fastchat/llm_judge/data",
      );
  }
  for (const name of Object.values(PROMPT_NAMES).flat())
    if (!prompts.has(name)) throw new UserError(`${file}: no prompt ${name} of type single`);
  return prompts;
}
