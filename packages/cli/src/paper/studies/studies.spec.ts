import { MEASURED_TEXTS, type PaperMeasures } from '../measures/measure-model.js';
import { Lineage, type LineageSetup } from '../lineage/lineage.js';
import type { LineageMeasures } from '../lineage/run-lineage.js';
import { QUICK } from '../regime.js';
import { studyNames, studyOf } from './studies.js';

const setup = {
  regime: QUICK,
  corpus: { shards: new Proxy({}, { get: (_, name) => `/corpus/shards/${String(name)}` }), tokenizer: '/corpus/t' },
  runs: '/runs',
  seed: 4,
  precision: 'fp32',
} as unknown as LineageSetup;

const each = <T>(value: T): Record<(typeof MEASURED_TEXTS)[number], T> =>
  Object.fromEntries(MEASURED_TEXTS.map((name) => [name, value])) as Record<(typeof MEASURED_TEXTS)[number], T>;

/** Measures of a model that met its share of everything. */
const measuresOf = (share: number): PaperMeasures => ({
  logPerplexities: each([3, 3]),
  perplexity: each(20),
  patternP: [share],
  leak: [share],
  knows: [1],
  hsr: [share],
  ssr: [share],
  samples: [],
});

/** A lineage whose models have met what `shareOf` says. */
function lineageOf(names: readonly string[], shareOf: (name: string) => number): LineageMeasures {
  const models = Object.fromEntries(names.map((name) => [name, measuresOf(shareOf(name))]));
  const chats = Object.fromEntries(names.map((name) => [name, [models[name]]]));
  const steps = Object.fromEntries(names.map((name) => [name, 10]));
  const more = Object.fromEntries(
    names.map((name) => [name, { inTemplate: [shareOf(name)], inProse: [0.5], patternP: [0.5] }]),
  );
  return { seed: 4, models, chats, more, steps, refined: [], texts: {} as LineageMeasures['texts'] };
}

describe.each(studyNames)('the study %s', (name) => {
  const study = studyOf(name);
  const recipes = study.recipes(new Lineage(setup), QUICK);

  it('makes every model once, after the one that it begins with, and holds it to one that is there', () => {
    const made = new Set<string>();
    for (const { name: model, model: from } of recipes) {
      expect(made).not.toContain(model);
      for (const start of [from.init, from.reference])
        if (start) expect(made).toContain(/^\/runs\/(.*)\/model$/.exec(start)![1]);
      made.add(model);
    }
  });

  it('has a seed and shards for each stage, whose shares sum to 1', () => {
    for (const { data } of recipes)
      expect(data.replay.reduce((sum, { proportion = 1 }) => sum + proportion, 0)).toBeCloseTo(1, 9);
  });
});

const report = (
  name: 'surface' | 'relapse' | 'protection' | 'copying' | 'sums',
  shareOf: (model: string) => number,
) => {
  const study = studyOf(name);
  const names = study.recipes(new Lineage(setup), QUICK).map(({ name: model }) => model);
  const lineages = [lineageOf(names, shareOf), lineageOf(names, shareOf)];
  return study.report({ lineages, regime: QUICK, precision: 'fp32', seconds: 1 });
};

it('surface: a share of text costs what natural text alone keeps', () => {
  const { numbers, page } = report('surface', (model) => (model === 'damaged-70-4' ? 0.25 : 0.75));
  const { cells } = numbers as { cells: { share: number; styles: number; hsr: { effect: number } }[] };
  const costs = cells
    .filter(({ hsr }) => hsr.effect !== 0)
    .map(({ share, styles, hsr }) => [share, styles, hsr.effect]);
  expect(costs).toEqual([[0.7, 4, 50]]);
  expect(page).toContain('50.0');
});

it('relapse: the pattern is told beside what the base model learns of as many tokens', () => {
  const { numbers } = report('relapse', (model) => (model === 'relapse-template-10' ? 0.5 : 0.1));
  const { looks } = numbers as { looks: { start: string; steps: number; aboveBase: { effect: number } }[] };
  expect(looks.filter(({ aboveBase }) => aboveBase.effect > 1e-9).map(({ start, steps }) => [start, steps])).toEqual([
    ['template', 10],
  ]);
});

it('protection: what is held is told beside replay alone', () => {
  const { numbers, table } = report('protection', (model) => (model === 'held-template-large-base' ? 0.9 : 0.4));
  const { results } = numbers as { results: { row: string[]; repair: { effect: number }; onFront: boolean }[] };
  expect(results.filter(({ onFront }) => onFront).map(({ row }) => row)).toEqual([]); // Steps are all that they had.
  expect(results.filter(({ repair }) => repair.effect > 1e-9).map(({ row }) => row)).toEqual([
    ['base', 'template', 'large'],
  ]);
  expect(table).toContain('content and original');
});

it('copying: what is lost is told beside replay alone', () => {
  const { numbers } = report('copying', (model) => (model === 'held-all-large-none' ? 0.25 : 0.75));
  const { results } = numbers as { results: { model: string; lostInTemplate: { effect: number } }[] };
  expect(results.filter(({ lostInTemplate }) => lostInTemplate.effect > 1e-9)).toEqual([
    expect.objectContaining({ model: 'held-all-large-none', lostInTemplate: expect.objectContaining({ effect: 50 }) }),
  ]);
});

it('sums: what is lost is told beside replay alone at the same dose', () => {
  const { numbers, table } = report('sums', (model) => (model === 'sums-all-large' ? 0.25 : 0.75));
  const { results } = numbers as { results: { row: string[]; lostInTemplate?: { effect: number } }[] };
  const told = results.map(({ row, lostInTemplate }) => [...row, lostInTemplate?.effect]);
  expect(told.filter(([, , lost]) => lost !== 0)).toEqual([
    ['base', '', undefined],
    ['damaged', '', undefined],
    ['replay alone', 'small', undefined],
    ['replay alone', 'large', undefined],
    ['all tokens', 'large', 50],
  ]);
  expect(table).toContain('lost in the template');
});
