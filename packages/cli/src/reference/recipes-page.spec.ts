import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { recipesPage } from './recipes-page.js';

const page = recipesPage();
const lineOf = (key: string): string => page.split('\n').find((line) => line.startsWith(`- \`${key}\`:`)) ?? '';

it('docs/recipes.md is what the schemas say', () => {
  const docs = join(__dirname, '..', '..', '..', '..', 'docs', 'recipes.md');
  if (page !== readFileSync(docs, 'utf8')) throw new Error('docs/recipes.md is old: node scripts/recipe-reference.mjs');
});

it('tells what each key may be, its default, and what it does', () => {
  expect(lineOf('optimizer.lr')).toBe(
    '- `optimizer.lr`: number > 0, default `0.00005`. Largest learning rate, of AdamW.',
  );
  expect(lineOf('steps')).toBe('- `steps`: integer > 0, required. Optimizer steps of the run.');
  expect(lineOf('data.replay[].shards')).toContain('string, required.');
  expect(lineOf('tasks[perplexity].shards')).toContain('Folder with index.json');
});

it('has a line of words for every key', () => {
  const keys = page.split('\n').filter((line) => line.startsWith('- `'));
  expect(keys.length).toBeGreaterThan(200);
  expect(keys.filter((line) => !/\. \S.*\.$/.test(line))).toEqual([]);
});
