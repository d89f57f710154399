import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { readVariations, valueText } from './variation.js';

const folder = mkdtempSync(join(tmpdir(), 'lethe-variation-'));
afterAll(() => rmSync(folder, { recursive: true }));

const fileOf = (text: string): string => {
  const file = join(folder, 'sweep.yaml');
  writeFileSync(file, text);
  return file;
};
const read = (vary: string[], set: string[] = [], file?: string) => readVariations({ vary, set, file });

describe('readVariations', () => {
  it('reads values as YAML does', () => {
    expect(read(['optimizer.lr=1e-5, 5e-5', 'objective.method=complement,ga', 'model.recompute=true,false'])).toEqual([
      { key: 'optimizer.lr', values: [1e-5, 5e-5] },
      { key: 'objective.method', values: ['complement', 'ga'] },
      { key: 'model.recompute', values: [true, false] },
    ]);
    expect(read(['data.replay=[{ shards: a }],[{ shards: b }, { shards: c }]'])[0].values).toEqual([
      [{ shards: 'a' }],
      [{ shards: 'b' }, { shards: 'c' }],
    ]);
  });

  it('reads lists from a file, then flags', () => {
    const file = fileOf('steps: [10, 20]\noptimizer.lr: [1e-4]\n');
    expect(read(['seed=1,2'], [], file)).toEqual([
      { key: 'steps', values: [10, 20] },
      { key: 'optimizer.lr', values: [1e-4] },
      { key: 'seed', values: [1, 2] },
    ]);
  });

  it.each([
    ['nothing', [], /^what should vary\?/],
    ['no =', ['steps'], /^--vary steps: expected key=value,value/],
    ['no key', ['=1,2'], /^--vary =1,2: expected key=value,value/],
    ['no values', ['steps= '], /^--vary steps: no values/],
    ['an empty value', ['steps=1,,2'], /^--vary steps: not a list of values, '1,,2'/],
    ['an empty value at the end', ['steps=1,2,'], /^--vary steps: not a list of values/],
    ['half a list', ['steps=1],[2'], /^--vary steps: not a list of values/],
    [
      'a value twice, however it is written',
      ['optimizer.lr=1e-5,0.00001'],
      /^--vary optimizer.lr: .* 1e-5 is given tw/,
    ],
    ['a key twice', ['steps=1', 'steps=2'], /^--vary steps: this key is given twice/],
    ['a key of --set', ['seed=1,2'], /^--vary seed: this key is given twice/],
    ['a key that the sweep decides', ['name=a,b'], /^--vary name: a sweep decides name, runs, stage itself/],
  ])('refuses %s', (_case, vary, message) => {
    expect(() => read(vary, ['seed = 3'])).toThrow(message);
  });

  it('names file and line of a wrong list', () => {
    expect(() => read([], [], fileOf('seed: [1]\nsteps: []\n'))).toThrow(/sweep\.yaml:2: steps: expected/);
    expect(() => read([], [], fileOf('seed: [1]\nsteps: [2, 2]\n'))).toThrow(
      /sweep\.yaml:2: steps: .* 2 is given twice/,
    );
    expect(() => read([], [], fileOf('optimizer:\n  lr: [1]\n'))).toThrow(/sweep\.yaml:1: optimizer: expected array/);
  });
});

describe('valueText', () => {
  it.each([
    [5e-5, '5e-5'],
    [0.01, '0.01'],
    [0, '0'],
    [-2, '-2'],
    [1e30, '1e30'],
    ['ga', 'ga'],
    ['models/synth', 'models/synth'],
    ['true', '"true"'],
    ['1e-5', '"1e-5"'],
    ['a: b', '"a: b"'],
    [false, 'false'],
    [null, 'null'],
    [{ a: [1, 'x'] }, '{"a":[1,"x"]}'],
  ])('of %j is %s, and YAML reads it back', (value, text) => {
    expect(valueText(value)).toBe(text);
    expect(parse(text)).toEqual(value);
  });
});
