import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Place } from '@lethe/data-pipeline';
import { z } from 'zod';
import { readRows, wrongRow } from '../items/read-rows.js';
import { statedAnswer } from './extract-number.js';

/** A word problem with its worked answer. */
export interface MathProblem {
  question: string;
  /** Reasoning with `<<calculations>>`, then `#### N`. */
  answer: string;
  /** N without commas. */
  gold: string;
  place: Place;
}

/** A problem that is shown with its answer, which ends with `The answer is N`. */
export interface WorkedExample {
  question: string;
  answer: string;
}

/** Problems to solve, and problems to show. */
export interface MathProblems {
  test: MathProblem[];
  train: MathProblem[];
  /** The rows of `shots.jsonl`; without that file, the training problems. */
  examples: WorkedExample[];
}

/** A training problem's own reasoning, without its marked calculations. */
function workedExample({ question, answer, gold }: MathProblem): WorkedExample {
  const reasoning = answer.replaceAll(/<<[^>]*>>/g, '').replace(/\s*####[^#]*$/, '');
  return { question, answer: `${reasoning}\nThe answer is ${gold}` };
}

const row = { benchmark: 'GSM8K', schema: z.object({ question: z.string(), answer: z.string() }) };

function readExamples(file: string): WorkedExample[] {
  return readRows(file, row).map(({ place, ...example }) => {
    if (statedAnswer(example.answer) !== null) return example;
    throw wrongRow(place, 'expected an answer ending in "The answer is " and a number', 'correct the row');
  });
}

function readProblems(file: string): MathProblem[] {
  return readRows(file, row).map((problem) => {
    const gold = /#### (-?[\d,]+(?:\.\d+)?)\s*$/.exec(problem.answer)?.[1];
    if (gold === undefined) throw wrongRow(problem.place, 'expected an answer ending in "#### " and a number');
    return { ...problem, gold: gold.replaceAll(',', '') };
  });
}

/** GSM8K's `test.jsonl` and `train.jsonl` in a folder, and `shots.jsonl` where it is. @throws UserError with file and line. */
export function readGsm8k(folder: string): MathProblems {
  const [test, train] = ['test.jsonl', 'train.jsonl'].map((name) => readProblems(join(folder, name)));
  const shots = join(folder, 'shots.jsonl');
  return { test, train, examples: existsSync(shots) ? readExamples(shots) : train.map(workedExample) };
}
