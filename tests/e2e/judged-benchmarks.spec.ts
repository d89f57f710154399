import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Answer, type JudgeServer, type Received, startJudge } from '../../packages/eval/testing/judge-server.js';
import { writeFollowBench, writeMtBench } from './judged-data.js';
import { type Ended, failureHere, filesIn, jsonl, letheHere, startLethe, temporaryFolder } from './lethe.js';
import { pretrainProject } from './small-project.js';

const KEY = 'sk-never-to-be-seen';
const NUM_JUDGED = 20 + 4;
const folder = temporaryFolder();
const at = (...path: string[]): string => join(folder, ...path);

interface Task {
  name: string;
  measures: { name: string; score: { value: number | null; n: number } }[];
  counts: Record<string, number>;
  judge?: { model: string; usage: object; noise?: { rounds: number; numUnsteady: number; scores: { sd: number }[] } };
  scores: { references?: string };
  items: { id: string; score: number; texts: string[] }[];
  unscored: { id: string; text: string; reason: string }[];
}
const tasksOf = (out: string): Task[] =>
  (JSON.parse(readFileSync(at(out, 'results.json'), 'utf8')) as { tasks: Task[] }).tasks;
const valueOf = (task: Task, name: string): number | null | undefined =>
  task.measures.find((measure) => measure.name === name)?.score.value;

const TASKS = [
  { kind: 'followbench', name: 'FollowBench', data: 'followbench', maxNewTokens: 6 },
  { kind: 'mt-bench', name: 'MT-Bench', data: 'mt_bench', maxNewTokens: 6 },
];
const command = (out: string, ...more: string[]): string[] => {
  writeFileSync(at(`${out}.yaml`), JSON.stringify({ out: `${out}/results.json`, tasks: TASKS }));
  return ['eval', '--recipe', `${out}.yaml`, '--model', 'runs/base/model', ...more];
};
const judgedBy = (url: string, ...more: string[]): string[] => [
  '--judge-url',
  url,
  '--judge-model',
  'judge-1',
  '--set',
  'judge.attempts=2',
  ...more,
];

async function succeedHere(...args: string[]): Promise<Ended> {
  const ended = await letheHere(folder, ...args);
  expect([ended.code, ended.stderr]).toEqual([0, expect.any(String)]);
  return ended;
}

const text = ({ body }: Received): string => body.messages.map(({ content }) => content).join('\n');
/** Level of a FollowBench question; undefined for MT-Bench's. */
const levelOf = (request: Received): number | undefined => {
  const level = /#Answer of Initial Instruction \+ (\d)/.exec(text(request))?.[1];
  return level === undefined ? undefined : Number(level);
};
/** Says that all constraints but the last are satisfied, or rates by the prompt: 8 first, 4 second turn. */
function fair(request: Received): string {
  const level = levelOf(request);
  if (level === undefined) return `Fine. Rating: [[${text(request).includes('multi-turn') ? 4 : 8}]]`;
  return `I see.\n[${Array.from({ length: level }, (_, i) => (i === level - 1 && i > 0 ? "'NO'" : "'YES'")).join(', ')}]`;
}

let server: JudgeServer;
async function judge(answer: (request: Received, number: number) => Answer | undefined): Promise<string> {
  server = await startJudge(answer);
  return server.url;
}
afterEach(() => server?.close());

beforeAll(async () => {
  process.env['LETHE_JUDGE_KEY'] = KEY;
  writeFollowBench(at('followbench'));
  writeMtBench(at('mt_bench'));
  await pretrainProject(folder);
}, 600_000);
afterAll(() => delete process.env['LETHE_JUDGE_KEY']);

it('without a judge: rules alone, answers written, and how to go on', async () => {
  const { stdout, stderr } = await succeedHere(...command('plain'));
  expect(stderr).toMatch(
    /FollowBench: 20 of 30 items need a judge and are not scored; the same command with --judge-url/,
  );
  expect(stderr).toMatch(/MT-Bench: 4 answers are written and none is rated; the same command with --judge-url/);
  expect(stdout).toMatch(/FollowBench +HSR %, rule-checked items only +0\.0 \[.*\] +10/);
  expect(stdout).toMatch(/FollowBench +not scored: they need a judge +20/);
  expect(stdout).toMatch(/MT-Bench +not scored: they need a judge +4/);
  expect(stdout).not.toMatch(/MT-Bench +rating/);
  const [follow, mt] = tasksOf('plain');
  expect([follow.items.length, follow.unscored.length, mt.items.length]).toEqual([10, 20, 0]);
  expect(mt.unscored.map(({ id, reason }) => [id, reason])).toEqual(
    ['81/1', '81/2', '82/1', '82/2'].map((id) => [id, 'no judge']),
  );
});

const answersOf = (out: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(at(out, 'items'))
      .filter((name) => !name.startsWith('judgements'))
      .map((name) => [name, readFileSync(at(out, 'items', name), 'utf8')]),
  );

it('Ctrl-C while answers are judged loses nothing: the same command asks what is missing', async () => {
  const before = answersOf('plain');
  const hanging = await judge((request, number) => (number < 7 ? fair(request) : undefined));
  // The endpoint is a part of a judge's name, so the second run asks at the same place.
  const running = startLethe(folder, ...command('plain', ...judgedBy(hanging)));
  const kept = (): object[] =>
    readdirSync(at('plain/items'))
      .filter((one) => one.startsWith('judgements'))
      .flatMap((name) => jsonl<object>(folder, 'plain/items', name).slice(1));
  while (kept().length < 7 && running.process.exitCode === null)
    await new Promise((resolve) => setTimeout(resolve, 20));
  running.process.kill('SIGINT');
  expect((await running.ended).code).not.toBe(0);
  const first = server.received.slice(0, 7).map(text);
  expect(kept()).toHaveLength(7);

  const asked: string[] = [];
  await server.close();
  server = await startJudge(
    (request) => {
      asked.push(text(request));
      return fair(request);
    },
    Number(new URL(hanging).port),
  );
  await succeedHere(...command('plain', ...judgedBy(server.url)));
  expect(asked).toHaveLength(NUM_JUDGED - 7);
  expect(asked.filter((one) => first.includes(one))).toEqual([]);
  expect(answersOf('plain')).toEqual(before);

  await succeedHere(...command('plain', ...judgedBy(server.url)));
  expect(asked).toHaveLength(NUM_JUDGED - 7);
}, 600_000);

it('scores what the judge says; 429 is tried again, and a judgement that cannot be read is missing', async () => {
  let isBusy = true;
  const url = await judge((request) => {
    if (isBusy) {
      isBusy = false;
      return { status: 429, body: '{"error":{"message":"slow down"}}', headers: { 'retry-after': '0' } };
    }
    if (levelOf(request) === 3 && text(request).includes('a style')) return 'I would rather not say.';
    if (text(request).includes('single-math-v1-multi-turn')) return 'Rating: nine';
    return fair(request);
  });
  const { stdout } = await succeedHere(...command('judged', ...judgedBy(url)));
  expect(server.received).toHaveLength(NUM_JUDGED + 1);
  expect(server.mostOpen()).toBeLessThanOrEqual(4);
  const [follow, mt] = tasksOf('judged');
  // By rule 0 in two of six categories; of the judged four, all at level 1, then none in full.
  expect(valueOf(follow, 'HSR %')).toBeCloseTo(4 / 6 / 5, 12);
  const soft = [1, 1 / 2, 2 / 3, 3 / 4, 4 / 5].map((share, i) => (i === 2 ? (3 * share) / 5 : (4 * share) / 6));
  expect(valueOf(follow, 'SSR %')).toBeCloseTo(soft.reduce((sum, x) => sum + x) / 5, 12);
  expect(valueOf(follow, 'CSL (levels)')).toBeCloseTo(4 / 6, 12);
  expect(follow.unscored).toMatchObject([{ id: 'style/1/3', reason: 'judgement could not be read' }]);
  expect(stdout).toMatch(/FollowBench +not scored: the judgement could not be read +1/);
  expect(follow.judge).toMatchObject({ model: 'judge-1', usage: { promptTokens: 200, completionTokens: 40 } });
  expect(stdout).toMatch(/FollowBench +judge: tokens read +200/);

  expect(valueOf(mt, 'rating, 1 to 10')).toBeCloseTo((8 + 4 + 8) / 3, 12);
  expect(stdout).toMatch(/MT-Bench +rating, turn 1 +8\.00 \[3\.40, 9\.32\] +2/);
  expect(mt.unscored).toMatchObject([{ id: '82/2', reason: 'judgement could not be read' }]);
  expect(mt.scores.references).toBe('gpt-4-0125-preview.jsonl');
  const maths = server.received.map(text).filter((one) => one.includes('single-math-v1'));
  expect(maths.every((one) => one.includes('corrected 1') && !one.includes('wrong'))).toBe(true);
}, 600_000);

it('--rejudge judges again, and reports how far the judge agrees with itself', async () => {
  let count = 0;
  const url = await judge((request) =>
    levelOf(request) === undefined ? `Rating: [[${5 + (count++ % 2)}]]` : fair(request),
  );
  const { stdout } = await succeedHere(
    ...command('noisy', ...judgedBy(url, '--set', 'judge.concurrency=1', '--rejudge', '1')),
  );
  expect(server.received).toHaveLength(2 * NUM_JUDGED);
  const [follow, mt] = tasksOf('noisy');
  expect(follow.judge!.noise).toMatchObject({ rounds: 2, numUnsteady: 0, scores: [{ sd: 0 }, { sd: 0 }] });
  expect(mt.judge!.noise).toMatchObject({ rounds: 2, numUnsteady: 4, scores: [{ sd: Math.SQRT1_2 }] });
  expect(stdout).toMatch(/MT-Bench +judged otherwise when judged again +4/);
  expect(stdout).toMatch(/MT-Bench +rating, sd of the judge +0\.71/);
}, 600_000);

it('compare pairs both benchmarks item by item, and refuses another judge', async () => {
  const url = await judge((request) => {
    const level = levelOf(request);
    if (level === undefined) return 'Rating: [[9]]';
    return `[${Array.from({ length: level }, () => 'YES').join(', ')}]`;
  });
  await succeedHere(...command('better', ...judgedBy(url)));
  const { stdout, stderr } = await succeedHere('compare', 'judged/results.json', 'better/results.json');
  expect(stdout).toMatch(/FollowBench HSR +29 +\S+ +\S+ +\S+ \[.*\] +0 +15 /);
  expect(stdout).toMatch(/FollowBench SSR +29 /);
  expect(stdout).toMatch(/MT-Bench \(rating of 10\) +3 +6\.67 +9\.00 +2\.33 \[/);
  expect(stderr).toMatch(/FollowBench HSR: 1 items are not of both/);
  await succeedHere(...command('other', '--judge-url', url, '--judge-model', 'judge-2'));
  expect(await failureHere(folder, 'compare', 'judged/results.json', 'other/results.json')).toMatch(
    /FollowBench HSR: judged by judge-1 in one result and by judge-2 in another; judge both alike/,
  );
}, 600_000);

it('a judge that cannot be had is an error that says what is kept', async () => {
  const url = await judge((_, number) =>
    number < 5 ? "['YES']" : { status: 401, body: JSON.stringify({ error: { message: `no such key: ${KEY}` } }) },
  );
  const refused = await failureHere(folder, ...command('refused', ...judgedBy(url, '--set', 'judge.concurrency=1')));
  expect(refused).toMatch(/judge judge-1 at http.*: answered 401: no such key: \*\*\*; set LETHE_JUDGE_KEY/);
  expect(refused).toMatch(/5 judgements and all answers are kept: the same command goes on from there/);
  await server.close();
  const gone = await failureHere(folder, ...command('refused', ...judgedBy(url)));
  expect(gone).toMatch(/cannot be reached: .*ECONNREFUSED.*\(2 attempts\); start it, or correct --judge-url/);
}, 600_000);

it.each<[string, string[], RegExp]>([
  [
    'a judge without a model',
    ['--judge-url', 'http://127.0.0.1:9/v1'],
    /judge\.model: expected string, received nothing/,
  ],
  ['further judgements without a judge', ['--rejudge', '2'], /judge\.url: expected string/],
  ['a URL that is none', judgedBy('nowhere'), /--judge-url: expected a URL such as .*, received nowhere/],
  [
    'a missing benchmark',
    ['--set', 'tasks.0.data=nowhere'],
    /FollowBench: data: nowhere: no such file or folder; correct the path/,
  ],
  [
    'missing questions',
    ['--set', 'tasks.1.data=nowhere'],
    /MT-Bench: data: nowhere: no such file or folder; correct the path/,
  ],
  [
    'missing references',
    [
      ...judgedBy('http://127.0.0.1:9/v1'),
      '--set',
      'tasks.0.kind=mt-bench',
      '--set',
      'tasks.0={kind: mt-bench, name: M, data: mt_bench, references: none.jsonl}',
    ],
    /reference answers in mt_bench\/reference_answer\/none\.jsonl/,
  ],
])(
  '%s is refused',
  async (_, more, message) => {
    expect(await failureHere(folder, ...command('plain', ...more))).toMatch(message);
  },
  600_000,
);

it('a base model, which has no chat template, is asked in plain words, and the results say so', async () => {
  const file = at('runs/base/model/tokenizer_config.json');
  const kept = readFileSync(file, 'utf8');
  const { chat_template: _, ...config } = JSON.parse(kept) as Record<string, unknown>;
  writeFileSync(file, JSON.stringify(config));
  for (const name of ['chat_template.jinja', 'SHA256SUMS']) rmSync(at(`runs/base/model/${name}`), { force: true });
  const { stdout }: Ended = await letheHere(folder, ...command('base'));
  writeFileSync(file, kept);
  expect(stdout).toMatch(/MT-Bench +asked as User: \.\. Assistant: \.\., since the model has no chat template +4/);
}, 600_000);

it('the key is in no file', () => {
  const holding = filesIn(folder).filter((name) => readFileSync(at(name)).includes(KEY));
  expect(holding).toEqual([]);
});
