import { z } from 'zod';
import { readRows } from '../items/read-rows.js';
import type { CodeBenchmark } from './code-problem.js';

const row = z.object({ task_id: z.string(), prompt: z.string(), entry_point: z.string(), test: z.string() });

/** HumanEval's `HumanEval.jsonl` or `.jsonl.gz`. @throws UserError with file and line. */
export function readHumanEval(file: string): CodeBenchmark {
  const id = { name: 'task_id', of: ({ task_id }: z.output<typeof row>) => task_id };
  const problems = readRows(file, { benchmark: 'HumanEval', schema: row, id }).map(
    ({ task_id: id, prompt, entry_point, test, place }) => ({
      id,
      place,
      prompt: () => prompt,
      program: (completion: string) => ({ code: `${prompt}${completion}\n`, tests: `${test}\ncheck(${entry_point})` }),
    }),
  );
  const stopStrings = ['\nclass', '\ndef', '\n#', '\nif', '\nprint'];
  return { problems, stopStrings, numShots: 0, maxNewTokens: 512, seconds: 3 };
}
