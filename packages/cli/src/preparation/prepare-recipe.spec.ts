import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { findFiles, readDocuments } from '@lethe/data-pipeline';
import { loadRecipe, silentLogger } from '@lethe/run';
import { runPrepare } from './run-prepare.js';
import { prepareRecipeSchema } from './prepare-recipe.js';

const RECIPES = join(__dirname, '../../recipes/data');
const DATA = process.env['LETHE_DATA'] ?? resolve(__dirname, '../../../../../shared');
const load = (name: string, ...set: string[]) =>
  loadRecipe(join(RECIPES, `${name}.yaml`), prepareRecipeSchema, { set }).recipe;
/** Left out by the recipes, with a line of preparation in docs/data.md. */
const LEFT_OUT = /\.zip$|\.conllu$|arena-hard-1k-gpt-4\/question\.jsonl$/;
const ROLES = {
  natural: 'NonSynth',
  synthetic: 'SynthQA',
  instructions: 'MixedIns',
  u33b: 'U33B',
  openhermes: 'OpenHermes-2.5',
};

const before = process.env['LETHE_DATA'];
beforeAll(() => (process.env['LETHE_DATA'] = DATA));
afterAll(() => {
  if (before === undefined) delete process.env['LETHE_DATA'];
  else process.env['LETHE_DATA'] = before;
});

describe('variables in paths', () => {
  it('are written in recipes', () => {
    const [first] = load('natural').sources;
    expect(first).toBe(`${DATA}/corpora/NonSynth/web-openwebtext`);
  });
});

describe('filters in a recipe', () => {
  it('take true or settings, and refuse others with file and line', () => {
    const set = [
      'filters.repetition={topNgrams: {2: 0.5}}',
      'filters.language={keep: [en, zh]}',
      'filters.overlap={sets: [e.jsonl]}',
    ];
    expect(load('natural', ...set).filters).toMatchObject({
      nearDuplicates: true,
      repetition: { topNgrams: { 2: 0.5 } },
      overlap: { sets: ['e.jsonl'] },
    });
    expect(() => load('natural', 'filters.language={keep: [xx]}')).toThrow(
      /--set filters\.language: filters\.language\.keep\.0/,
    );
    expect(() => load('natural', 'filters.lenght={}')).toThrow(/did you mean 'length'/);
  });
});

describe('the data recipes', () => {
  it('are one for each role', () => {
    expect(readdirSync(RECIPES).sort()).toEqual(
      Object.keys(ROLES)
        .map((name) => `${name}.yaml`)
        .sort(),
    );
  });

  const describeData = existsSync(join(DATA, 'corpora')) ? describe : describe.skip;
  describeData('on the shared corpora', () => {
    const folder = mkdtempSync(join(tmpdir(), 'lethe-recipes-'));
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    it.each(Object.entries(ROLES))('%s reads every file of %s but those of docs/data.md', async (name, role) => {
      const named = new Set<string>();
      for (const source of load(name).sources) {
        for (const { file } of await findFiles(typeof source === 'string' ? source : source.path)) named.add(file);
      }
      const all = (await findFiles(join(DATA, 'corpora', role))).map(({ file }) => file);
      expect(all.filter((file) => !named.has(file) && !LEFT_OUT.test(file))).toEqual([]);
      const numOf = { documents: 0, wrong: 0 };
      const onWrongRow = () => numOf.wrong++;
      for await (const _ of readDocuments(load(name).sources, { onWrongRow })) numOf.documents++;
      expect(numOf.documents).toBeGreaterThan(1000);
      expect(numOf.wrong).toBeLessThanOrEqual(0.02 * numOf.documents);
    });

    it('prepare shards', async () => {
      const tokenizer = { train: { vocabSize: 512 } };
      const recipe = { ...load('instructions', `out=${folder}/out`), tokenizer };
      const [alpaca] = recipe.sources;
      const { report } = await runPrepare({ ...recipe, sources: [alpaca!] }, { logger: silentLogger });
      expect(report.splits.train.documents + report.splits.heldout!.documents).toBe(
        999 - report.filters!.filters[0]!.dropped,
      );
      expect(report.splits.train.targets).toBeLessThan(report.splits.train.tokens);
    }, 60_000);
  });
});
