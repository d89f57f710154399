import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { nearestName } from './nearest-name.js';
import { describeIssues, loadRecipe, recipeJsonSchema } from './recipe.js';

const stream = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('text'), path: z.string() }),
  z.object({ kind: z.literal('shards'), directory: z.string(), share: z.number().min(0).max(1).default(1) }),
]);
const schema = z.object({
  steps: z.number().int().positive(),
  seed: z.number().int().default(0),
  optimizer: z.object({ lr: z.number().positive(), schedule: z.enum(['constant', 'cosine']).default('constant') }),
  streams: z.array(stream).optional(),
  weights: z.record(z.string(), z.number()).optional(),
  precision: z.union([z.literal('fp32'), z.literal('bf16'), z.number()]).optional(),
});

describe('loadRecipe', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'recipe-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const write = (name: string, lines: string[]) => {
    writeFileSync(join(folder, name), `${lines.join('\n')}\n`);
    return join(folder, name);
  };
  const load = (lines: string[], set: string[] = []) => loadRecipe(write('r.yaml', lines), schema, { set });
  const messageOf = (lines: string[], set: string[] = []) => {
    try {
      load(lines, set);
    } catch (error) {
      return (error as Error).message.replaceAll(`${folder}/`, '');
    }
    throw new Error('the recipe was accepted');
  };
  const good = ['steps: 10', 'optimizer:', '  lr: 1e-4'];

  it('fills defaults and keeps the text', () => {
    const { recipe, text, files } = load(good);
    expect(recipe).toEqual({ steps: 10, seed: 0, optimizer: { lr: 1e-4, schedule: 'constant' } });
    expect(text).toBe('steps: 10\noptimizer:\n  lr: 1e-4\n');
    expect(files).toEqual([join(folder, 'r.yaml')]);
  });

  it('names line and key of an unknown key and suggests the nearest', () => {
    expect(messageOf(['steps: 10', 'optimizer:', '  lr: 1', '  shedule: cosine'])).toBe(
      "r.yaml:4: optimizer.shedule: unknown key; did you mean 'schedule'?",
    );
    expect(messageOf([...good, 'zzz: 1'])).toBe(
      'r.yaml:4: zzz: unknown key; expected one of steps, seed, optimizer, streams, weights, precision',
    );
  });

  it('names what was expected and received, for all issues at once', () => {
    expect(messageOf(['steps: -1', 'optimizer:', '  lr: fast', '  schedule: cosin', 'precision: fp8'])).toBe(
      [
        'r.yaml:1: steps: expected > 0, received number -1',
        'r.yaml:3: optimizer.lr: expected number, received string "fast"',
        'r.yaml:4: optimizer.schedule: expected "constant" | "cosine" (did you mean "cosine"?), received string "cosin"',
        'r.yaml:5: precision: expected "fp32" or "bf16" or number, received string "fp8"',
      ].join('\n'),
    );
  });

  it('cuts what was received, more so beside a long list of what is possible', () => {
    const received = 'm'.repeat(100);
    const told = (names: string[]): string => {
      const { error } = z.enum(names).safeParse(received);
      return describeIssues(error!.issues, received)[0];
    };
    expect(told(['a', 'b'])).toBe(`expected "a" | "b", received string "${'m'.repeat(76)}...`);
    const many = Array.from({ length: 13 }, (_, i) => `a-long-name-${i}`);
    expect(told(many)).toMatch(/received string "m{36}\.\.\.$/);
  });

  it('points at the parent of a missing key', () => {
    expect(messageOf(['steps: 1', 'optimizer:', '  schedule: cosine'])).toBe(
      'r.yaml:2: optimizer.lr: expected number, received nothing (the key is missing)',
    );
  });

  it('follows lists, records and the chosen option of a union', () => {
    const streams = ['streams:', '  - kind: text', '    path: a', '  - kind: shards', '    path: b'];
    expect(messageOf([...good, ...streams])).toBe(
      [
        'r.yaml:8: streams.1.path: unknown key; expected one of kind, directory, share',
        'r.yaml:7: streams.1.directory: expected string, received nothing (the key is missing)',
      ].join('\n'),
    );
    expect(messageOf([...good, 'weights: {replay: yes please}'])).toBe(
      'r.yaml:4: weights.replay: expected number, received string "yes please"',
    );
  });

  it('names syntax errors and duplicate keys with their line', () => {
    expect(messageOf(['steps: 10', 'optimizer: {lr: 1', 'x: ]'])).toMatch(/^r\.yaml:\d: not valid YAML: /);
    expect(messageOf(['steps: 10', 'steps: 11'])).toMatch(/^r\.yaml:2: not valid YAML: Map keys must be unique/);
    expect(messageOf(['steps: *nowhere'])).toMatch(/^r\.yaml(:1)?: not valid YAML: .*nowhere/);
    expect(messageOf(['streams: &a [*a]'])).toBe(
      'r.yaml: nested more than 32 deep, or an alias that contains itself; write it flatter',
    );
    const laughs = ['a: &a [x, x, x, x, x, x, x, x, x, x]'];
    for (const [i, name] of [...'bcdefghi'].entries()) {
      laughs.push(`${name}: &${name} [${Array.from({ length: 10 }, () => `*${'abcdefghi'[i]}`).join(', ')}]`);
    }
    expect(messageOf(laughs)).toBe(
      'r.yaml: not valid YAML: Excessive alias count indicates a resource exhaustion attack; correct this line, or put quotes around the text in it',
    );
    expect(messageOf(['- 1'])).toMatch(/^r\.yaml:1: expected a mapping/);
    expect(messageOf(['['.repeat(4000)])).toBe(
      'r.yaml:1: nested more than 32 deep, or an alias that contains itself; write it flatter',
    );
    expect(messageOf(['a: 1', '---', 'b: 1'])).toMatch(
      /expected one mapping of keys, received a second after ---; keep one/,
    );
    expect(messageOf(['streams: ["x", "a\\0b"]'])).toBe(
      'r.yaml:1: streams.1: expected a text without NUL characters; remove them',
    );
    expect(messageOf(['# nothing'])).toMatch(/^r\.yaml: the recipe is empty; write its keys/);
    expect(() => loadRecipe(join(folder, 'absent.yaml'), schema)).toThrow(
      'absent.yaml: expected a recipe, found no such file',
    );
  });

  it('applies --set, in lists and in mappings that were absent', () => {
    const set = [
      'optimizer.lr=0.5',
      'streams=[{kind: text, path: a}]',
      'streams.0.path=b',
      'weights.replay=2',
      'seed=3',
    ];
    expect(load(good, set).recipe).toEqual({
      steps: 10,
      seed: 3,
      optimizer: { lr: 0.5, schedule: 'constant' },
      streams: [{ kind: 'text', path: 'b' }],
      weights: { replay: 2 },
    });
  });

  it('applies --vary after --set, and names the flag that wrote a wrong value', () => {
    const file = write('r.yaml', good);
    expect(loadRecipe(file, schema, { set: ['steps=3'], vary: ['steps=4'] }).recipe.steps).toBe(4);
    expect(() => loadRecipe(file, schema, { set: ['seed=1'], vary: ['optimizer.lr=fast'] })).toThrow(
      /^--vary optimizer.lr: optimizer.lr: expected number, received string "fast"$/,
    );
    expect(() => loadRecipe(file, schema, { vary: ['steps.x=1'] })).toThrow(/^--vary steps.x: 'steps' is 10/);
  });

  it('names --set in the errors of what it set', () => {
    expect(messageOf(good, ['optimizer.lr=fast'])).toBe(
      '--set optimizer.lr: optimizer.lr: expected number, received string "fast"',
    );
    expect(messageOf(good, ['optimzer.lr=1'])).toMatch(/^--set optimzer.lr: optimzer: unknown key; .*'optimizer'/);
    expect(messageOf(good, ['optimizer={lr: x}'])).toMatch(/^--set optimizer: optimizer.lr: expected number/);
    expect(messageOf(good, ['steps.x=1'])).toBe("--set steps.x: 'steps' is 10, which has no key 'x'");
    expect(messageOf(good, ['steps'])).toMatch(/^--set steps: expected key=value/);
    expect(messageOf([...good, 'streams: []'], ['streams.1.kind=text'])).toMatch(/is a list of 0; expected an index/);
  });

  it('extends other recipes, merging mappings, and keeps the line of each key', () => {
    write('base.yaml', ['seed: 5', 'steps: 1', 'optimizer:', '  lr: 1', '  schedule: cosine', 'streams: []']);
    expect(load(['extends: base.yaml', 'steps: 2', 'optimizer: {lr: 3}']).recipe).toEqual({
      seed: 5,
      steps: 2,
      optimizer: { lr: 3, schedule: 'cosine' },
      streams: [],
    });
    write('base.yaml', ['steps: 1', 'optimizer:', '  lr: wrong']);
    expect(messageOf(['extends: [base.yaml]', 'steps: 2'])).toMatch(/^base\.yaml:3: optimizer\.lr: expected number/);
    write('base.yaml', ['extends: r.yaml']);
    expect(messageOf(['extends: base.yaml'])).toMatch(/extends itself/);
    expect(messageOf(['extends: 3'])).toBe('r.yaml:1: extends: expected a path or a list of paths, received 3');
  });
});

describe('recipeJsonSchema', () => {
  it('closes objects and allows extends', () => {
    const json = recipeJsonSchema(schema, 'Test') as { properties: Record<string, { additionalProperties?: boolean }> };
    expect(json).toMatchObject({ title: 'Test', type: 'object', additionalProperties: false });
    expect(json.properties['extends']).toBeDefined();
    expect(json.properties['optimizer'].additionalProperties).toBe(false);
    expect(json).toMatchObject({ anyOf: [{ required: expect.any(Array) as string[] }, { required: ['extends'] }] });
    expect(json).not.toHaveProperty('required');
  });
});

describe('nearestName', () => {
  it('knows swapped letters, other case, and when to be silent', () => {
    expect(nearestName('wieghts', ['steps', 'weights'])).toBe('weights');
    expect(nearestName('max_steps', ['maxSteps', 'steps'])).toBe('maxSteps');
    expect(nearestName('banana', ['steps', 'weights'])).toBeUndefined();
    expect(nearestName('x', ['lr'])).toBeUndefined();
  });
});
