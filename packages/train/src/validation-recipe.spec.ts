import { recipeJsonSchema } from '@lethe/run';
import { recipeHash } from './recipe-hash.js';
import { type TrainRecipe, trainRecipeSchema } from './recipe.js';
import { rowsOfRole } from './validation-recipe.js';

const HELD_OUT = { replay: [{ shards: 'natural/heldout' }], forget: [{ shards: 'synthetic/heldout' }] };
const MINIMAL = {
  name: 'run',
  stage: 'unlearn',
  model: { init: 'models/synth' },
  data: { rowLength: 64, replay: [{ shards: 'natural/train' }], forget: [{ shards: 'synthetic/train' }] },
  batch: { replayRows: 2, forgetRows: 2 },
  steps: 10,
};

const parse = (changes: object): TrainRecipe => trainRecipeSchema.parse({ ...MINIMAL, ...changes });

/** `key: message` of everything that is wrong. */
function issues(changes: object): string[] {
  const { error } = trainRecipeSchema.safeParse({ ...MINIMAL, ...changes });
  return (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('the sections validation and stop', () => {
  it('are absent unless they are written, and have defaults', () => {
    expect(Object.keys(parse({}))).not.toEqual(expect.arrayContaining(['validation']));
    expect(Object.keys(parse({}))).not.toEqual(expect.arrayContaining(['stop']));
    expect(parse({ validation: { replay: HELD_OUT.replay } }).validation).toEqual({
      replay: [{ shards: 'natural/heldout', proportion: 1 }],
      forget: [],
      every: 100,
      rows: 64,
    });
  });

  it('measure as many rows of each role as are asked for', () => {
    const rows = (of: unknown) => parse({ validation: { ...HELD_OUT, rows: of } }).validation!;
    expect(['replay', 'forget'].map((role) => rowsOfRole(rows(7), role as 'replay'))).toEqual([7, 7]);
    const each = rows({ replay: 9 });
    expect(['replay', 'forget'].map((role) => rowsOfRole(each, role as 'replay'))).toEqual([9, 64]);
  });

  it.each([
    ['no shards', { validation: {} }, ['validation: held-out shards in at least one of replay, forget and kept']],
    ['no rules', { stop: {} }, ['stop: at least one of maxPerplexityRise, maxKeptFall, forgetP and patience']],
    [
      'a limit without replay rows',
      { validation: { forget: HELD_OUT.forget }, stop: { maxPerplexityRise: 0.05 } },
      [
        'validation.replay: shards that stop.maxPerplexityRise is decided by, such as [{ shards: data/natural/heldout }]',
      ],
    ],
    [
      'a limit without kept rows',
      { validation: HELD_OUT, stop: { maxKeptFall: 0.05 } },
      ['validation.kept: shards that stop.maxKeptFall is decided by, such as [{ shards: data/synthetic/heldout }]'],
    ],
    [
      'rows of a role without shards',
      { validation: { ...HELD_OUT, rows: { replay: 9, kept: 5 } } },
      ['validation.rows.kept: no number, or shards for these rows in validation.kept'],
    ],
    [
      'a goal without validation',
      { stop: { forgetP: 0.1 } },
      ['validation.forget: shards that stop.forgetP is decided by, such as [{ shards: data/synthetic/heldout }]'],
    ],
    [
      'patience when unlearning',
      { validation: HELD_OUT, stop: { patience: 3 } },
      [
        'stop.patience: no patience when unlearning, which does not lower the held-out loss: use maxPerplexityRise or forgetP',
      ],
    ],
    [
      'training shards as held-out ones, however they are written',
      { validation: { replay: [HELD_OUT.replay[0], { shards: './natural//train/' }] } },
      ['validation.replay.1.shards: shards that the run does not train on (`lethe prepare --held-out` makes them)'],
    ],
  ])('refuse %s', (_case, changes, expected) => {
    expect(issues(changes)).toEqual(expected);
  });

  it.each([
    ['a falling limit', { maxPerplexityRise: -0.1 }, /maxPerplexityRise/],
    ['a probability of 1', { forgetP: 1 }, /forgetP/],
    ['no patience at all', { patience: 0 }, /patience/],
    ['an unknown rule', { forgetNll: 3 }, /forgetNll/],
  ])('refuse %s', (_case, stop, message) => {
    expect(() => parse({ validation: HELD_OUT, stop })).toThrow(message);
  });

  it('take what fits: the very synthetic data to be forgotten, and patience elsewhere', () => {
    expect(issues({ validation: { forget: MINIMAL.data.forget }, stop: { forgetP: 0.1 } })).toEqual([]);
    const refine = { stage: 'refine', validation: HELD_OUT, stop: { patience: 3, maxPerplexityRise: 0 } };
    expect(issues(refine)).toEqual([]);
  });

  it('are in the JSON Schema for editors', () => {
    const { properties } = recipeJsonSchema(trainRecipeSchema, 'train') as {
      properties: Record<string, { properties: Record<string, object>; additionalProperties: boolean }>;
    };
    expect(Object.keys(properties['validation'].properties)).toEqual(['replay', 'forget', 'kept', 'every', 'rows']);
    expect(Object.keys(properties['stop'].properties)).toEqual([
      'maxPerplexityRise',
      'maxKeptFall',
      'forgetP',
      'patience',
    ]);
    expect(properties['stop'].additionalProperties).toBe(false);
  });
});

describe('recipeHash', () => {
  const hash = (stop?: object, validation: object = HELD_OUT): string =>
    recipeHash(parse({ validation, ...(stop && { stop }) }));

  it('stays where the number of a rule changes: the run goes on', () => {
    expect(hash({ forgetP: 0.1, maxPerplexityRise: 0.05 })).toBe(hash({ maxPerplexityRise: 0.1, forgetP: 0.2 }));
  });

  it('changes with the rules that there are, and with what is validated', () => {
    const all = [
      hash(),
      hash({ forgetP: 0.1 }),
      hash({ maxPerplexityRise: 0.1 }),
      hash(undefined, { ...HELD_OUT, rows: 9 }),
    ];
    expect(new Set([...all, recipeHash(parse({}))]).size).toBe(5);
  });
});
