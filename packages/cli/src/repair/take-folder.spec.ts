import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { RepairRequest } from './repair-request.js';
import { takeFolder } from './take-folder.js';

const folder = mkdtempSync(join(tmpdir(), 'lethe-take-'));
afterAll(() => rmSync(folder, { recursive: true }));
const files = { 'model.safetensors': 'hash' };
let number = 0;

/** A folder that a request has taken, with what it left there. */
function taken(left: readonly string[] = [], rest: Partial<RepairRequest> = {}): RepairRequest {
  const request: RepairRequest = {
    model: 'm',
    synthetic: ['qa.jsonl'],
    natural: ['web.jsonl'],
    instructions: [],
    budget: { tokens: 1000 },
    out: join(folder, String(number++)),
    anyway: false,
    device: 'lethe-cpu',
    precision: 'fp32',
    ...rest,
  };
  expect(takeFolder(request, files)).toBeUndefined();
  for (const path of left) {
    const file = join(request.out, path);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, '{}');
  }
  return request;
}
const FOUND = ['data/synthetic/index.json', 'phases/prepare.json', 'phases/diagnose.json', 'phases/figures.json'];
const phases = ({ out }: RepairRequest): string[] => readdirSync(join(out, 'phases')).sort();

it('the same request goes on', () => {
  const request = taken([...FOUND, 'runs/probe/metrics.jsonl']);
  expect(takeFolder({ ...request, threads: 3 }, files)).toBeUndefined();
  expect(phases(request)).toHaveLength(3);
});

it('a corrected request goes on where nothing was trained, with the shards if the texts are the same', () => {
  const request = taken(FOUND);
  expect(takeFolder({ ...request, budget: { tokens: 2000 } }, files)).toBe(
    '--budget: {"tokens":1000} before, {"tokens":2000} now',
  );
  expect(phases(request)).toEqual(['prepare.json']);
  expect(existsSync(join(request.out, 'data'))).toBe(true);
  expect(takeFolder({ ...request, natural: ['books.jsonl', 'web.jsonl'] }, files)).toContain(
    `--natural: ${resolve('web.jsonl')} before, ${resolve('books.jsonl')} ${resolve('web.jsonl')} now`,
  );
  expect(phases(request)).toEqual([]);
  expect(existsSync(join(request.out, 'data'))).toBe(false);
});

it.each([
  ['what it trained', 'runs/probe/metrics.jsonl'],
  ['its result', 'repair.json'],
])('another request is refused where %s would be lost, and nothing is', (what, left) => {
  const request = taken([...FOUND, left]);
  expect(() => takeFolder({ ...request, base: 'b' }, files)).toThrow(
    `${request.out}: holds a repair of another request, and ${what} would be lost (--base: nothing before, b now); ` +
      'give another folder with --out, repeat the first command, or remove the folder',
  );
  expect(() => takeFolder(request, { 'model.safetensors': 'other' })).toThrow('the files of the model have changed');
  expect(phases(request)).toHaveLength(3);
  expect(takeFolder(request, files)).toBeUndefined();
});

it.each(['model', 'data', 'runs', 'report.html'])('a folder whose %s is not of a repair is refused', (name) => {
  const out = join(folder, String(number++));
  mkdirSync(join(out, name), { recursive: true });
  const request = { ...taken(), out };
  expect(() => takeFolder(request, files)).toThrow(
    `${out}: holds ${name}, which no repair made and this one would write over; give another folder with --out`,
  );
  expect(readdirSync(out)).toEqual([name]);
});

it('text within the folder is never removed', () => {
  const request = taken(FOUND);
  const own = [join(request.out, 'data', 'synthetic')];
  expect(() => takeFolder({ ...request, synthetic: own }, files)).toThrow('the text of this one would be lost');
});

describe('a finished repair', () => {
  const finished = [
    ...FOUND,
    ...['verify', 'score-before', 'reach-before', 'finetune-before-1', 'ask-a', 'relapse'].map(
      (name) => `phases/${name}.json`,
    ),
    'runs/unlearn/a',
    'runs/finetune-before-1/a',
    'model/a',
    'items/a',
  ];
  const [evaluation, recipe] = ['eval.yaml', 'finetune.yaml'].map((name) => join(folder, name));
  const write = (file: string, text: string): void => writeFileSync(file, text);
  const left = ({ out }: RepairRequest): string[] =>
    ['runs/unlearn', 'runs/finetune-before-1', 'model', 'items'].filter((name) => existsSync(join(out, name)));
  const asked = (rest: Partial<RepairRequest>): RepairRequest => {
    write(evaluation, 'tasks: []');
    write(recipe, 'steps: 1');
    return taken(finished, rest);
  };

  it('can be scored on more, which may change its verdict', () => {
    const request = asked({});
    expect(takeFolder({ ...request, eval: evaluation }, files)).toBeUndefined();
    expect(phases(request)).toEqual(
      ['ask-a', 'diagnose', 'figures', 'finetune-before-1', 'prepare', 'relapse'].map((name) => `${name}.json`),
    );
    expect(left(request)).toEqual(['runs/unlearn', 'runs/finetune-before-1']);
  });

  it('is chosen anew where instructions choose, and what was trained stays', () => {
    const rules = join(folder, 'rules.jsonl');
    write(rules, '{}');
    const request = asked({ instructions: [rules] });
    write(rules, '{"other":1}');
    expect(takeFolder(request, files)).toBeUndefined();
    const kept = ['diagnose', 'figures', 'finetune-before-1', 'prepare'].map((name) => `${name}.json`);
    expect(phases(request)).toEqual(kept);
    expect(left(request)).toEqual(['runs/unlearn', 'runs/finetune-before-1']);
  });

  it('is scored anew where a file of what models are asked has changed', () => {
    const request = asked({ eval: evaluation });
    write(evaluation, 'tasks: [other]');
    expect(takeFolder(request, files)).toBeUndefined();
    expect(left(request)).toEqual(['runs/unlearn', 'runs/finetune-before-1']);
  });

  it('keeps its fine-tuned copies where there are to be more of them, and not where another recipe makes them', () => {
    const finetune = { recipe, runs: 2 };
    const request = asked({ eval: evaluation, finetune });
    const more = { ...request, finetune: { recipe, runs: 3 } };
    expect(takeFolder(more, files)).toBeUndefined();
    expect(left(request)).toEqual(['runs/unlearn', 'runs/finetune-before-1']);
    write(recipe, 'steps: 2');
    expect(takeFolder(more, files)).toBeUndefined();
    expect(left(request)).toEqual(['runs/unlearn']);
    expect(phases(request)).toEqual(['diagnose.json', 'figures.json', 'prepare.json']);
  });
});

it('goes on to train anyway, and does not take that back', () => {
  const request = taken([...FOUND, 'repair.json']);
  expect(takeFolder({ ...request, anyway: true }, files)).toBeUndefined();
  expect(phases(request)).toHaveLength(3);
  expect(() => takeFolder(request, files)).toThrow('--anyway: true before, false now');
});
