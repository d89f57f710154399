import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { failure, failureHere, misuseHere, succeed, temporaryFolder } from './lethe.js';
import { pretrainProject } from './small-project.js';

const folder = temporaryFolder();
const at = (...path: string[]): string => join(folder, ...path);
const unlearn = (...changes: string[]): string[] => [
  'unlearn',
  '--recipe',
  'unlearn.yaml',
  ...['name=refused', ...changes].flatMap((change) => ['--set', change]),
];

beforeAll(() => pretrainProject(folder), 60000);

describe('a recipe is refused', () => {
  afterEach(() => expect(existsSync(at('runs/refused'))).toBe(false));

  it('with an unknown key, by file and line, with a suggestion', async () => {
    const text = readFileSync(at('unlearn.yaml'), 'utf8').replace('rowLength: 64', 'rowLenght: 64');
    writeFileSync(at('typing.yaml'), text);
    const line = text.split('\n').findIndex((one) => one.includes('rowLenght')) + 1;
    const message = await failure(folder, 'unlearn', '--recipe', 'typing.yaml');
    expect(message).toContain(`typing.yaml:${line}: data.rowLenght: unknown key; did you mean 'rowLength'?`);
  });

  it('that is not YAML, by file and line', async () => {
    writeFileSync(at('broken.yaml'), 'name: x\nstage: [unlearn\n');
    expect(await failure(folder, 'unlearn', '--recipe', 'broken.yaml')).toMatch(/broken\.yaml:\d+/);
  });

  it.each([
    ['missing', ['unlearn', '--recipe', 'nosuch.yaml'], 'nosuch.yaml: expected a recipe, found no such file'],
    ['of another stage', ['pretrain', '--recipe', 'unlearn.yaml'], 'this recipe is for `lethe unlearn`'],
    ['with an unknown key in --set', unlearn('optimzer.lr=1'), "optimzer: unknown key; did you mean 'optimizer'?"],
    ['with a wrong value', unlearn('optimizer.lr=fast'), 'optimizer.lr: expected number, received string "fast"'],
    ['with a wrong name', unlearn('name=a/b'), 'name: expected letters, digits, "_", "-" and "." only'],
    ['with an unknown method', unlearn('objective.method=gaa'), 'objective.method: expected'],
    [
      'with an exponent that the method has not',
      unlearn('objective.beta1=2'),
      'objective.beta1: beta1 is an exponent of',
    ],
    ['without replay data', unlearn('data.replay=[]'), 'unlearning without replay data destroys the model'],
    ['with zero replay rows', unlearn('batch.replayRows=0'), 'unlearning without replay data destroys the model'],
    ['without synthetic data', unlearn('data.forget=[]'), 'stage unlearn needs synthetic data'],
    ['with rows beyond the context', unlearn('data.rowLength=129'), "data.rowLength is 129, and the model's context"],
    ['with a missing checkpoint', unlearn('model.init=nosuch'), 'nosuch'],
    ['with missing shards', unlearn('data.forget=[{shards: nosuch}]'), 'nosuch/index.json: not found'],
    ['with an init and a config', unlearn('model.config={}'), 'model'],
    ['for a device it does not know', unlearn('device=gpu'), 'device: expected'],
  ])('%s', async (_case, args, message) => {
    expect(await failureHere(folder, ...args)).toContain(message);
  });
});

it('a run of another recipe is not continued', async () => {
  await succeed(folder, 'unlearn', '--recipe', 'unlearn.yaml');
  const before = readFileSync(at('runs/unlearn/model/model.safetensors'));
  const message = await failure(folder, 'unlearn', '--recipe', 'unlearn.yaml', '--set', 'optimizer.lr=0.5');
  expect(message).toContain('runs/unlearn holds a run of another recipe');
  expect(readFileSync(at('runs/unlearn/model/model.safetensors')).equals(before)).toBe(true);
  // What decides no weight may change: the run is the same one, and finished.
  const { stderr } = await succeed(folder, 'unlearn', '--recipe', 'unlearn.yaml', '--set', 'checkpoint.keep=5');
  expect(stderr).toContain('nothing to do');
});

describe('flags and inputs are refused', () => {
  const model = ['--model', 'runs/base/model'];
  const score = (file: string): string[] => ['score', ...model, '--in', file, '--out', 'refused.jsonl'];
  const prepared = ['prepare', 'natural.jsonl', '--tokenizer', 'natural/tokenizer', '--out', 'refused.jsonl'];
  const texts = ['--synthetic', 'synthetic.jsonl', '--natural', 'natural.jsonl'];
  const repair = ['repair', '--dry-run', ...model, ...texts];

  beforeAll(() => {
    writeFileSync(at('not-json.jsonl'), '{"text":"a"}\n{"text":\n');
    writeFileSync(at('no-text.jsonl'), '{"words":"a"}\n');
    writeFileSync(at('outside.jsonl'), '{"ids":[1,2]}\n{"ids":[1,300]}\n');
    writeFileSync(at('fractions.jsonl'), '{"ids":[1.5]}\n');
    writeFileSync(at('long.jsonl'), `{"ids":[${Array.from({ length: 129 }, () => 1).join()}]}\n`);
    writeFileSync(at('empty.jsonl'), '');
  });
  afterEach(() => expect(existsSync(at('refused.jsonl'))).toBe(false));

  it.each([
    ['a missing model', ['generate', '--model', 'nosuch', '--prompt', 'a'], 'nosuch'],
    ['a missing file to score', score('nosuch.jsonl'), 'nosuch.jsonl: there is no such file or folder; check the path'],
    ['an empty file to score', score('empty.jsonl'), 'empty.jsonl: no lines to score'],
    ['a line that is not JSON', score('not-json.jsonl'), 'not-json.jsonl:2: not JSON'],
    ['a line without text', score('no-text.jsonl'), 'no-text.jsonl:1: expected {"text": "..."} or {"ids": [...]}'],
    ['an id outside the vocabulary', score('outside.jsonl'), 'outside.jsonl:2: id 300 is outside the vocabulary'],
    ['an id that is no integer', score('fractions.jsonl'), 'fractions.jsonl:1: id 1.5'],
    ['a text beyond the context', score('long.jsonl'), "long.jsonl:1: 129 tokens, and the model's context is 128"],
    [
      'more new tokens than the context holds',
      ['generate', ...model, '--prompt', 'a', '--max-new-tokens', '128'],
      '128',
    ],
    ['an existing folder to export to', ['export', ...model, '--out', 'natural'], 'natural exists'],
    ['a benchmark that is not there', ['eval', ...model], 'no such file or folder; correct the path'],
    ['an address to write to', [...prepared, '--out', 'hf://a/b'], 'hf://a/b: expected a path of this machine'],
    [
      'a folder to write that is a file',
      [...prepared, '--out', 'pretrain.yaml'],
      'pretrain.yaml: expected a folder, found',
    ],
    ['a vocabulary that is too small', [...prepared, '--train-tokenizer', '16'], 'at least 262 ids'],
    ['a page in place of data', ['report', 'runs/base', '--out', 'natural.jsonl'], 'natural.jsonl: is no page, and'],
    ['results in place of data', ['eval', ...model, '--out', 'natural.jsonl'], 'natural.jsonl: is no evaluation, and'],
    [
      'scores in place of data',
      ['score', ...model, '--in', 'long.jsonl', '--out', 'natural.jsonl'],
      'is no scores, and',
    ],
    [
      'scores in place of what is scored',
      ['score', ...model, '--in', 'empty.jsonl', '--out', 'empty.jsonl'],
      'would be lost',
    ],
    [
      'a name that leaves the folder of runs',
      ['reproduce', 'runs/base', '--name', '..'],
      '--name ..: expected the name of',
    ],
    ['a path without end', ['export', '--model', 'x'.repeat(5000), '--out', 'o'], 'characters left out'],
    [
      'instructions that are not there',
      [...repair, '--instructions', 'nosuch'],
      'instructions: data: nosuch: no such file',
    ],
    [
      'a recipe of benchmarks that is not there',
      [...repair, '--eval', 'nosuch'],
      'nosuch: expected a recipe, found no such',
    ],
    [
      'a repair into a file',
      [...repair, '--out', 'natural.jsonl/x'],
      '--out natural.jsonl/x: expected a folder, found a file',
    ],
    [
      'a repair by empty texts',
      ['repair', '--dry-run', ...model, '--synthetic', 'synthetic.jsonl', '--natural', 'empty.jsonl'],
      'empty.jsonl: expected text, received empty files',
    ],
  ])('%s', async (_case, args, message) => {
    const told = await failureHere(folder, ...args);
    expect(told).toContain(message);
    expect(
      told
        .split('\n')
        .filter((line) => /^(lethe|error): /.test(line))
        .join('').length,
    ).toBeLessThan(300);
  });

  it.each([
    ['an unknown flag', ['unlearn', '--sett', 'a=1'], 'Did you mean --set?'],
    ['a flag with nothing in it', [...prepared, '--tokenizer', ''], '--tokenizer: expected a value, received an empty'],
    ['an argument with nothing in it', ['report', ''], 'lethe report: expected no empty arguments'],
    ['a value without end', ['score', '--threads', 'x'.repeat(5000)], 'characters left out'],
    ['a flag without its value', ['score', '--model'], "option '--model <dir>' argument missing"],
    ['a required flag that is missing', ['score', ...model], "required option '--in <file>' not specified"],
    ['a device it does not know', [...score('long.jsonl'), '--device', 'gpu'], 'Allowed choices are lethe-cpu'],
    ['threads that are no number', [...score('long.jsonl'), '--threads', 'x'], 'expected an integer >= 1'],
    [
      'a flag in the place of a value',
      ['repair', ...model, '--synthetic', '--natural', 'natural.jsonl'],
      '--synthetic: expected a value, received the flag --natural; give a value before it',
    ],
  ])('%s: the command line is wrong', async (_case, args, message) => {
    expect(await misuseHere(folder, ...args)).toContain(message);
  });
});
