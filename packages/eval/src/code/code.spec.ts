import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Program } from '../sandbox/report.js';
import { runProgram } from '../sandbox/run-program.js';
import { scoreCode } from './answer-code.js';
import { readHumanEval } from './humaneval.js';
import { readMbpp } from './mbpp.js';
import { passAtK } from './pass-at-k.js';

const benchmarks = resolve(__dirname, '../../../..', process.env['LETHE_DATA'] ?? '../shared', 'benchmarks');
const HUMANEVAL = join(benchmarks, 'humaneval/HumanEval.jsonl.gz');
const [MBPP, SANITIZED] = ['mbpp.jsonl', 'sanitized-mbpp.json'].map((name) => join(benchmarks, 'mbpp', name));
const whenThere = (file: string): typeof it => (existsSync(file) ? it : it.skip);
const hasSandbox =
  ['/usr/bin/bwrap', '/usr/bin/prlimit', '/usr/bin/python3'].every((file) => existsSync(file)) &&
  spawnSync('/usr/bin/bwrap', ['--unshare-all', '--ro-bind', '/', '/', '/usr/bin/true']).status === 0;
const whenRunnable = (file: string): typeof it => (hasSandbox ? whenThere(file) : it.skip);

it('pass@k is the chance that one of k drawn samples passes', () => {
  const choose = (n: number, k: number): number => (k === 0 ? 1 : (choose(n - 1, k - 1) * n) / k);
  for (const [n, c, k] of [
    [1, 0, 1],
    [1, 1, 1],
    [10, 3, 1],
    [10, 3, 5],
    [20, 1, 10],
    [5, 4, 2],
  ])
    expect(passAtK(n, c, k)).toBeCloseTo(n - c < k ? 1 : 1 - choose(n - c, k) / choose(n, k), 12);
  expect(() => passAtK(3, 1, 4)).toThrow(/1 <= k <= 3 samples, received 4/);
});

it('scores count verdicts, and have Wilson’s interval for one sample each', () => {
  const item = (...verdicts: string[]) => ({ id: 'x', prediction: verdicts[0], score: 0, verdicts });
  const { passAt, verdicts, isolation } = scoreCode([item('pass'), item('timeout')], [1], 'bubblewrap');
  expect(passAt[0].score).toMatchObject({ value: 0.5, n: 2 });
  expect(passAt[0].score.low).toBeCloseTo(0.0945, 3);
  expect(verdicts).toEqual({ pass: 1, fail: 0, timeout: 1, 'out-of-memory': 0, 'sandbox-error': 0 });
  expect(isolation).toBe('bubblewrap');
  const sampled = scoreCode([item('pass', 'fail'), item('fail', 'fail')], [1, 2], 'none');
  expect(sampled.passAt.map(({ score }) => score.value)).toEqual([0.25, 0.5]);
});

whenThere(HUMANEVAL)('HumanEval: the prompt as it is, the program with tests and check', () => {
  const { problems, stopStrings, ...sizes } = readHumanEval(HUMANEVAL);
  expect(sizes).toEqual({ numShots: 0, maxNewTokens: 512, seconds: 3 });
  expect(problems).toHaveLength(164);
  expect(problems[0].id).toBe('HumanEval/0');
  expect(problems[0].prompt(0).startsWith('from typing import List\n\n\ndef has_close_elements(')).toBe(true);
  expect(problems[0].prompt(0).endsWith('    """\n')).toBe(true);
  const { code, tests } = problems[0].program('    return True\n');
  expect(code).toBe(`${problems[0].prompt(0)}    return True\n\n`);
  expect(tests).toMatch(/^\n\nMETADATA = [^]*\ncheck\(has_close_elements\)$/);
  expect(stopStrings).toEqual(['\nclass', '\ndef', '\n#', '\nif', '\nprint']);
});

whenThere(MBPP)('MBPP: three shots, 500 tasks, byte for byte, without carriage returns', () => {
  const { problems, stopStrings } = readMbpp(MBPP);
  expect(problems.map(({ id }) => Number(id))).toEqual(Array.from({ length: 500 }, (_, i) => 11 + i));
  const prompt = problems[0].prompt(3);
  expect(
    prompt.startsWith(
      'You are an expert Python programmer, and here is your task: Write a function to find the similar elements from the given two tuple lists. Your code should pass these tests:\n\nassert similar_elements((3, 4, 5, 6),(5, 7, 4, 10)) == (4, 5)\nassert similar_elements((1, 2, 3, 4),(5, 4, 3, 7)) == (3, 4)\nassert similar_elements((11, 12, 14, 13),(17, 15, 14, 13)) == (13, 14)\n[BEGIN]\ndef similar_elements(test_tup1, test_tup2):\n  res = tuple(set(test_tup1) & set(test_tup2))\n  return (res) \n[DONE]\n\nYou are an expert',
    ),
  ).toBe(true);
  expect(prompt.match(/\n\[DONE\]\n\n/g)).toHaveLength(3);
  expect(prompt.endsWith('\n[BEGIN]\n')).toBe(true);
  expect(problems.some((one) => /\r/.test(one.prompt(3)))).toBe(false);
  expect(stopStrings).toEqual(['[DONE]']);
});

whenThere(SANITIZED)('the sanitized set is another', () => {
  const { problems } = readMbpp(SANITIZED, 'sanitized');
  expect(problems.length).toBeGreaterThan(200);
  expect(problems.length).toBeLessThan(500);
  expect(problems[0].prompt(3)).toContain('find the shared elements from the given two lists.');
  expect(() => readMbpp(MBPP, 'sanitized')).toThrow(
    /mbpp\.jsonl:1: not a row of MBPP's sanitized set: prompt: .*; correct the row/,
  );
});

/** Runs programs two at a time and returns what did not pass. */
async function failing(programs: [id: string, program: Program][]): Promise<string[]> {
  const failed: string[] = [];
  const left = [...programs];
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next; next = left.shift()) {
      const { verdict, detail } = await runProgram(next[1], { isolation: 'bubblewrap', seconds: 120 });
      if (verdict !== 'pass') failed.push(`${next[0]}: ${verdict} ${detail}`);
    }
  };
  await Promise.all([work(), work()]);
  return failed;
}

interface Row {
  canonical_solution: string;
  task_id: number;
  code: string;
}
const rows = (text: string): Row[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row);

whenRunnable(HUMANEVAL)(
  'every reference solution of HumanEval passes, and none does without its body',
  async () => {
    const solutions = rows(gunzipSync(readFileSync(HUMANEVAL)).toString('utf8'));
    const { problems } = readHumanEval(HUMANEVAL);
    expect(await failing(problems.map((one, i) => [one.id, one.program(solutions[i].canonical_solution)]))).toEqual([]);
    expect(await failing(problems.slice(0, 5).map((one) => [one.id, one.program('    pass\n')]))).toHaveLength(5);
  },
  900_000,
);

whenRunnable(MBPP)(
  'every reference solution of a tenth of MBPP passes',
  async () => {
    const solutions = new Map(rows(readFileSync(MBPP, 'utf8')).map(({ task_id, code }) => [String(task_id), code]));
    const some = readMbpp(MBPP).problems.filter((_, i) => i % 10 === 0);
    expect(await failing(some.map((one) => [one.id, one.program(solutions.get(one.id)!)]))).toEqual([]);
  },
  900_000,
);
