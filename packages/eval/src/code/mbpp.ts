import type { Place } from '@lethe/data-pipeline';
import { UserError } from '@lethe/run';
import { z } from 'zod';
import { readRows } from '../items/read-rows.js';
import type { CodeBenchmark } from './code-problem.js';

/** A task of either set. */
interface Task {
  id: number;
  text: string;
  code: string;
  tests: string[];
  setup: string;
  place: Place;
}

const fullRow = z.object({
  task_id: z.int(),
  text: z.string(),
  code: z.string(),
  test_list: z.array(z.string()),
  test_setup_code: z.string().default(''),
});
const sanitizedRow = z.object({
  task_id: z.int(),
  prompt: z.string(),
  code: z.string(),
  test_list: z.array(z.string()),
  test_imports: z.array(z.string()).default([]),
});

const taskId = { name: 'task_id', of: ({ task_id }: { task_id: number }) => task_id };

function readFull(file: string): Task[] {
  return readRows(file, { benchmark: 'MBPP', schema: fullRow, id: taskId }).map(
    ({ task_id, text, code, test_list, test_setup_code, place }) => ({
      id: task_id,
      text,
      code,
      tests: test_list,
      setup: test_setup_code,
      place,
    }),
  );
}

function readSanitized(file: string): Task[] {
  const rows = readRows(file, { benchmark: "MBPP's sanitized set", schema: sanitizedRow, id: taskId });
  return rows.map(({ task_id, prompt, code, test_list, test_imports, place }) => ({
    id: task_id,
    text: prompt,
    code,
    tests: test_list,
    setup: test_imports.join('\n'),
    place,
  }));
}

/** Some solutions come with CRLF. */
const lines = (code: string): string => code.replaceAll('\r\n', '\n');
const ask = ({ text, tests }: Task): string =>
  `You are an expert Python programmer, and here is your task: ${text} Your code should pass these tests:\n\n${tests.join('\n')}\n[BEGIN]\n`;

/** The tasks shown, and those asked (Austin et al. 2021: ids 11 to 510 are the test split). */
const SHOT_IDS = [2, 3, 4];
const isTest = ({ id }: Task): boolean => id >= 11 && id <= 510;

/**
 * MBPP's `mbpp.jsonl`, 500 test tasks after three shots; `sanitized-mbpp.json` is another benchmark, of other prompts and
 * of fewer tasks.
 * @throws UserError with file and line, or where the shots are missing.
 */
export function readMbpp(file: string, variant: 'full' | 'sanitized' = 'full'): CodeBenchmark {
  const tasks = variant === 'full' ? readFull(file) : readSanitized(file);
  const shots = SHOT_IDS.flatMap((id) => tasks.find((task) => task.id === id) ?? []);
  if (shots.length < SHOT_IDS.length)
    throw new UserError(`${file}: expected tasks ${SHOT_IDS.join(', ')}, which are shown before each other task`);
  const shown = shots.map((shot) => `${ask(shot)}${lines(shot.code)}\n[DONE]\n\n`);
  const problems = tasks.filter(isTest).map((task) => ({
    id: String(task.id),
    place: task.place,
    prompt: (numShots: number) => `${shown.slice(0, numShots).join('')}${ask(task)}`,
    program: (completion: string) => ({
      code: `${lines(completion)}\n`,
      tests: [lines(task.setup), ...task.tests].join('\n'),
    }),
  }));
  return { problems, stopStrings: ['[DONE]'], numShots: 3, maxNewTokens: 512, seconds: 10 };
}
