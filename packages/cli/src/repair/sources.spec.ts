import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@lethe/run';
import { runPrepare } from '../preparation/run-prepare.js';
import { prepareRecipeSchema } from '../preparation/prepare-recipe.js';
import { requireOneForm, sizeOfSources } from './sources.js';

let folder: string;
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lethe-sources-'));
  writeFileSync(at('a.jsonl'), Array.from({ length: 40 }, (_, i) => `{"text":"document ${i} of forty"}\n`).join(''));
  writeFileSync(at('empty.txt'), '');
  mkdirSync(at('texts'));
  writeFileSync(at('texts/b.txt'), 'x'.repeat(4000));
  const recipe = {
    sources: [at('a.jsonl')],
    out: at('shards'),
    heldOut: 0.25,
    tokenizer: { train: { vocabSize: 300 } },
  };
  await runPrepare(prepareRecipeSchema.parse(recipe), { logger: silentLogger });
});
afterAll(() => rmSync(folder, { recursive: true }));

it('files are counted in bytes, and tokens guessed from them', async () => {
  const { text, tokens } = await sizeOfSources([at('a.jsonl'), at('texts')]);
  expect(text).toMatch(/^2 files, [\d,]+ bytes$/);
  expect(tokens).toBeGreaterThan(1000);
});

it('shards are counted in documents and tokens, held-out ones too', async () => {
  const whole = await sizeOfSources([at('shards')]);
  expect(whole.text).toMatch(/^40 documents, [\d,]+ tokens in shards$/);
  expect(whole.tokens).toBe(Number(/([\d,]+) tokens/.exec(whole.text)![1]!.replace(',', '')));
  expect((await sizeOfSources([at('shards/train')])).tokens).toBeLessThan(whole.tokens);
});

it('refuses shards among files, and nothing', async () => {
  expect(() => requireOneForm([at('a.jsonl'), at('shards')])).toThrow(/one folder of shards \(.+shards is one\)/);
  await expect(sizeOfSources([at('shards/train'), at('shards/heldout')])).rejects.toThrow('prepare all of them');
  await expect(sizeOfSources([at('empty.txt')])).rejects.toThrow('received empty files');
});
