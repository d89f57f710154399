import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ShardWriter } from '@lethe/data-pipeline';
import { cacheBytes, frozenReads } from './cached/cache-estimate.js';
import { trainRecipeSchema } from './recipe.js';
import { readsOf } from './reads.js';
import { recipeWarnings } from './recipe-warnings.js';
import { openStreams } from './streams.js';

const folder = mkdtempSync(join(tmpdir(), 'lethe-warnings-'));
const at = (name: string): string => join(folder, name);
beforeAll(async () => {
  for (const [i, name] of ['natural', 'synthetic', 'other'].entries()) {
    const writer = await ShardWriter.create(at(name), { vocabSize: 300, tokenizerHash: 'x', eosId: 0 });
    await writer.add(Int32Array.from([i + 1, 2, 3, 0]));
    await writer.finish();
  }
  cpSync(at('natural'), at('copy'), { recursive: true });
  symlinkSync(at('natural'), at('link'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const streams = (...names: string[]) => names.map((name) => ({ shards: at(name) }));
const recipeOf = ({
  replay = ['natural'],
  forget = ['synthetic'],
  ...rest
}: Record<string, unknown> & Partial<Record<'replay' | 'forget', string[]>>) =>
  trainRecipeSchema.parse({
    name: 'warned',
    stage: 'unlearn',
    model: { init: 'models/synth' },
    data: { rowLength: 4, replay: streams(...replay), forget: streams(...forget) },
    batch: { replayRows: 1, forgetRows: 1 },
    steps: 1,
    ...rest,
  });

it('a cached original that nothing reads, and one whose rows are read once, are told', () => {
  const cached = { init: 'models/synth', original: 'cached' };
  const once = /^model\.original: cached costs more than live here: no row is read twice/;
  expect(recipeWarnings(recipeOf({ model: cached }))).toEqual([expect.stringMatching(once)]);
  expect(recipeWarnings(recipeOf({ model: cached }), true)).toEqual([]);
  expect(recipeWarnings(recipeOf({ model: cached, steps: 2 }))).toEqual([]);
  const validation = { replay: [{ shards: at('other') }], every: 1, rows: 1 };
  expect(recipeWarnings(recipeOf({ model: cached, validation }))).toEqual([]);
  const objective = { weights: { mitigation: 0 } };
  expect(recipeWarnings(recipeOf({ model: cached, objective }))).toEqual([
    'model.original: cached does nothing here: no term of this run compares with a frozen model',
  ]);
  expect(recipeWarnings(recipeOf({}))).toEqual([]);
});

it('the room of a cached original is told by the rows that are read, of the streams that are compared', () => {
  const rows = (rest: Record<string, unknown>) => frozenReads(recipeOf(rest));
  expect(rows({})).toEqual({ rows: 1, reads: 1 });
  expect(rows({ steps: 5, batch: { replayRows: 2, forgetRows: 1 } })).toEqual({ rows: 1, reads: 10 });
  expect(rows({ steps: 5, objective: { method: 'npo' } })).toEqual({ rows: 2, reads: 10 });
  expect(rows({ steps: 5, objective: { weights: { mitigation: 0 } } })).toEqual({ rows: 0, reads: 0 });
  const validation = { replay: [{ shards: at('other') }], every: 2, rows: 3 };
  expect(rows({ steps: 5, validation })).toEqual({ rows: 4, reads: 5 + 3 * 4 });
  const bf16 = recipeOf({ precision: 'bf16' });
  expect([cacheBytes(3, recipeOf({}), 10), cacheBytes(3, bf16, 10)]).toEqual([3 * 4 * 10 * 4, 3 * 4 * 10 * 2]);
});

it('warm-up to the end, and text that is read again and again, are told', () => {
  const warned = recipeWarnings(recipeOf({ steps: 90, schedule: { warmupSteps: 90 } }));
  expect(warned).toEqual([
    expect.stringMatching(/^schedule.warmupSteps 90 of 90 steps: .*lower it$/),
    expect.stringMatching(
      /^data.replay: \S*natural holds 4 tokens and is read about 90 times; give more text, or fewer/,
    ),
    expect.stringMatching(/^data.forget: \S*synthetic holds 4 tokens and is read about 90 times; give fewer steps/),
  ]);
  const mixed = recipeOf({ steps: 30, replay: ['natural', 'other'] });
  expect(recipeWarnings(mixed)).toEqual([expect.stringMatching(/^data.forget: .* about 30 times/)]);
  expect(readsOf(mixed).map(({ times }) => times)).toEqual([15, 15, 30]);
  expect(readsOf(recipeOf({ replay: ['none'] })).map(({ role }) => role)).toEqual(['forget']); // Missing shards are told elsewhere.
});
it('a control that is to forget nothing is not warned of it', () => {
  const recipe = recipeOf({ objective: { weights: { forgetting: 0 } } });
  expect(recipeWarnings(recipe, true)).toEqual([]);
  expect(recipeWarnings(recipe)).toHaveLength(1);
});
it('a recipe as the paper has it is not warned of', () => expect(recipeWarnings(recipeOf({}))).toEqual([]));

it.each([
  [{ objective: { weights: { forgetting: 0 } } }, /^objective\.weights\.forgetting is 0: nothing is forgotten$/],
  [
    { objective: { method: 'ga', weights: { forgetting: 1000 } } },
    /^objective\.method ga has no lower bound, and weighs 1000 against 1/,
  ],
  [
    { objective: { method: 'ga', weights: { forgetting: { from: 0, to: 2, steps: 5 } } } },
    /weighs 2 against 1 of replay: .*lower objective\.weights\.forgetting/,
  ],
  [{ replay: ['natural', 'copy'] }, /^data\.replay holds the shards of .*copy more than once/],
  [
    { validation: { forget: streams('synthetic'), replay: [] } },
    /^validation\.forget: .*synthetic is in data\.forget as well/,
  ],
])('%j is', (rest, message) => {
  const warnings = recipeWarnings(recipeOf(rest));
  expect(warnings).toEqual([expect.stringMatching(message)]);
});

it('neither a bounded method nor another stage is warned of its weights', () => {
  expect(recipeWarnings(recipeOf({ objective: { weights: { forgetting: 1000 } } }))).toEqual([]);
  expect(recipeWarnings(recipeOf({ objective: { method: 'ga', weights: { forgetting: 1 } } }))).toEqual([]);
  expect(recipeWarnings({ ...recipeOf({ objective: { weights: { forgetting: 0 } } }), stage: 'refine' })).toEqual([]);
});

it.each(['natural', 'copy', 'link'])('what is replayed cannot be forgotten: %s', async (name) => {
  await expect(openStreams(recipeOf({ forget: ['other', name] }))).rejects.toThrow(
    /natural.* is in data\.forget and in data\.replay: it would be unlearned and learned at once; remove it from one/,
  );
});

it('a run of weights that are all 0 is refused', () => {
  const weights = { forgetting: 0, replay: 0, mitigation: { from: 0, to: 0, steps: 3 } };
  expect(() => recipeOf({ objective: { weights } })).toThrow(
    /a term with a weight above 0: with none, nothing would be trained/,
  );
});
