import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ShardWriter, trainTokenizer } from '@lethe/data-pipeline';
import { baselm, initializeLlama, saveLlama } from '@lethe/model';
import { type Logger, silentLogger } from '@lethe/run';
import { useDevice } from '@lethe/tensor';
import type { Answered } from '../benchmark/answered.js';
import { evalRecipeSchema } from './eval-recipe.js';
import type { Evaluation } from './evaluation.js';
import { EVALUATION_HEADER, evaluationRows } from './evaluation-rows.js';
import { readEvaluation } from './read-evaluation.js';
import { runEvaluation } from './run-evaluation.js';

const SIZES = { hiddenSize: 16, intermediateSize: 32, numLayers: 1, numHeads: 2, numKeyValueHeads: 1, headDim: 8 };
const VOCABULARY = 262;
/** So long a question that a text of the usual length would exceed the context: it ends there. */
const LONG = 'How many? '.repeat(40);
const folder = mkdtempSync(join(tmpdir(), 'lethe-evaluation-'));
const at = (...names: string[]): string => join(folder, ...names);
const model = at('model');

function write(name: string, text: string): string {
  mkdirSync(dirname(at(name)), { recursive: true });
  writeFileSync(at(name), text);
  return at(name);
}
const jsonl = (rows: object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

beforeAll(async () => {
  await useDevice('lethe-cpu');
  const tokenizer = await trainTokenizer(['a b c'], { vocabSize: VOCABULARY, folder: at('tokenizer') });
  const config = baselm({ ...SIZES, vocabSize: VOCABULARY, maxPositions: 500, initializerRange: 0.5 });
  const llama = initializeLlama(config, 3);
  await saveLlama(llama, model);
  llama.dispose();
  for (const file of ['tokenizer.json', 'tokenizer_config.json']) cpSync(at('tokenizer', file), join(model, file));
  const options = { vocabSize: VOCABULARY, tokenizerHash: tokenizer.hash, eosId: 2 };
  const writer = await ShardWriter.create(at('shards'), options);
  for (const ids of [[9, 8, 7, 2], [2], [5, 6, 2]]) await writer.add(Int32Array.from(ids));
  await writer.finish();
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

/** What the model scores on tasks of a recipe; items are kept where `items` says. */
function evaluate(tasks: object[], rest: object = {}, logger: Logger = silentLogger): Promise<Evaluation> {
  const { tasks: parsed } = evalRecipeSchema.parse({ tasks: tasks.map((task) => ({ name: 'task', ...task })) });
  return runEvaluation({ model, tasks: parsed, ...rest }, logger);
}
const answered = async (...given: Parameters<typeof evaluate>): Promise<Answered[]> =>
  (await evaluate(...given)).tasks as Answered[];

describe('without a folder of items', () => {
  it('nothing is kept, and documents of one token have no perplexity', async () => {
    const [task] = (await evaluate([{ kind: 'perplexity', shards: at('shards') }])).tasks;
    expect(task).toMatchObject({ kind: 'perplexity', numTokens: 3 + 2 });
    expect(evaluationRows({ tasks: [task] })).toEqual([
      ['task', 'perplexity', expect.stringMatching(/^\d+\.\d\d$/), '5 tokens'],
    ]);
    expect(EVALUATION_HEADER).toHaveLength(4);
    expect(existsSync(at('items'))).toBe(false);
  });
});

describe('code', () => {
  const humanEval = (): string =>
    write(
      'HumanEval.jsonl',
      jsonl(
        ['a', 'b', 'c'].map((task_id) => ({
          task_id,
          prompt: 'def f():\n',
          entry_point: 'f',
          test: 'def check(f):\n    pass',
        })),
      ),
    );
  const mbpp = [2, 3, 4, 11].map((task_id) => ({
    task_id,
    code: 'x',
    test_list: ['assert 0'],
    text: 'T',
    prompt: 'P',
  }));
  const few = { kind: 'code', maxNewTokens: 4 };
  const isolated = ['bwrap', 'prlimit', 'python3'].every((name) => existsSync(`/usr/bin/${name}`)) ? it : it.skip;

  isolated(
    'is asked and run as each benchmark is distributed, more programs than run at once',
    async () => {
      const sampled = { ...few, benchmark: 'humaneval', data: humanEval(), samples: 3, temperature: 1, k: [1, 3] };
      const full = { ...few, benchmark: 'mbpp', data: write('mbpp.jsonl', jsonl(mbpp)), shots: 1, seconds: 5 };
      const sanitized = {
        kind: 'code',
        shots: 0,
        benchmark: 'mbpp-sanitized',
        data: write('sanitized-mbpp.json', JSON.stringify(mbpp)),
      };
      const results = await answered([sampled, full, sanitized], { withoutSandbox: true });
      expect(results.map(({ items }) => items.length)).toEqual([3, 1, 1]);
      expect(results[0].measures.map(({ name }) => name)).toEqual(['pass@1 %', 'pass@3 %']);
      expect(results[0].items[0].texts).toHaveLength(3);
      expect(results[2].items[0].score).toBe(0);
    },
    300_000,
  );

  it.each([
    ['more of pass@k than samples', { k: [1, 2] }, /task: k: expected at most samples \(1\), got 1,2/],
    ['samples that are all the same', { samples: 2 }, /2 greedy samples are all the same; set a temperature/],
  ])('refuses %s', async (_what, settings, message) => {
    const task = { ...few, benchmark: 'humaneval', data: humanEval(), ...settings };
    await expect(evaluate([task])).rejects.toThrow(message);
  });

  it('refuses MBPP without the tasks that are shown', async () => {
    const data = write('few.jsonl', jsonl(mbpp.slice(1)));
    await expect(evaluate([{ ...few, benchmark: 'mbpp', data }], { withoutSandbox: true })).rejects.toThrow(
      /few\.jsonl: expected tasks 2, 3, 4, which are shown before each other task/,
    );
  });
});

describe('with a folder of items', () => {
  it('they go to a file even where the task’s name has no letters', async () => {
    const constraints = [{ kind: 'keyword', word: 'zebra', present: false }];
    const data = write('rules.jsonl', jsonl([{ prompt: 'p', constraints }]));
    const task = { kind: 'instructions', name: '***', data, maxNewTokens: 2 };
    const [{ items, measures }] = await answered([task], { items: at('items'), device: 'lethe-cpu' });
    expect(items).toMatchObject([{ score: 1 }]);
    expect(measures[0]).toMatchObject({ name: 'HSR %', score: { value: 1 } });
    expect(readdirSync(at('items')).filter((name) => name.endsWith('.jsonl'))).toEqual([
      expect.stringMatching(/^items-[0-9a-f]{12}\.jsonl$/),
    ]);
  });
});

describe('GSM8K', () => {
  it('has the shots and the length of its protocol unless told otherwise', async () => {
    const row = { question: LONG, answer: 'One.\n#### 1' };
    write('gsm8k/test.jsonl', jsonl([row]));
    write('gsm8k/train.jsonl', jsonl(Array.from({ length: 8 }, () => ({ ...row, question: 'How many?' }))));
    const [{ items }] = await answered([{ kind: 'gsm8k', data: at('gsm8k'), shots: 0 }]);
    const [{ items: told }] = await answered([{ kind: 'gsm8k', data: at('gsm8k'), maxNewTokens: 2 }]);
    expect(items[0].texts![0].length).toBeGreaterThan(told[0].texts![0].length);
  });
});

describe('four-choice questions', () => {
  const QUESTION = 'question,A,B,C,D,answer\n';
  const choices = (data: string, settings: object) => ({ kind: 'multiple-choice', data: at(data), ...settings });

  it('lm-eval shows no shots unless a number is asked for', async () => {
    write('mmlu/test/anatomy_test.csv', 'Which?,one,two,three,four,B\n');
    write('mmlu/dev/anatomy_dev.csv', 'What?,1,2,3,4,A\n'.repeat(5));
    const results = await answered([choices('mmlu', { protocols: ['original', 'lm-eval'] })]);
    expect(results.map(({ name, protocol }) => [name, protocol])).toEqual([
      ['task (original)', 'original'],
      ['task (lm-eval)', 'lm-eval'],
    ]);
    const [shown] = await answered([choices('mmlu', { protocols: ['lm-eval'], shots: 5 })]);
    const [five] = await answered([choices('mmlu', { protocols: ['original'] })]);
    expect(shown.items[0].logprobs).not.toEqual(results[1].items[0].logprobs);
    expect(five.items[0].logprobs).toEqual(results[0].items[0].logprobs);
  });

  it('of CMMLU have China’s own subjects as a category', async () => {
    write(
      'cmmlu/test/chinese_history.csv',
      `,${QUESTION.replace('question', 'Question').replace('answer', 'Answer')}0,问,一,二,三,四,A\n`,
    );
    const [{ measures, average }] = await answered([choices('cmmlu', { benchmark: 'cmmlu', shots: 0 })]);
    expect(average).toBe('macro');
    expect(measures.map(({ name }) => name)).toContain('accuracy %, China specific');
  });

  it.each([
    ['ceval', 'val/no_such_val.csv', /ceval has no subject no_such; remove the file/],
    ['mmlu', 'test/read.me', /no files named <subject>_test\.csv/],
  ])('of %s refuse %s', async (benchmark, file, message) => {
    write(`${benchmark}-wrong/${file}`, `id,${QUESTION}0,q,a,b,c,d,A\n`);
    await expect(evaluate([choices(`${benchmark}-wrong`, { benchmark, shots: 0 })])).rejects.toThrow(message);
  });
});

describe('results of lethe eval', () => {
  it.each([
    ['no file', undefined, /no such file; give the results\.json/],
    ['no JSON', '{', /expected JSON .*write it anew/],
    ['null', 'null', /not results of lethe eval/],
    ['no tasks', '{"model":"m"}', /not results of lethe eval/],
    ['an earlier version', '{"model":"m","tasks":[{"kind":"gsm8k","name":"g"}]}', /g has no items.*evaluate again/],
  ])('that are %s are refused', (name, text, message) => {
    if (text !== undefined) write(`${name}.json`, text);
    expect(() => readEvaluation(at(`${name}.json`))).toThrow(message);
  });
});
