import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '..', '..');
const page = readFileSync(join(root, 'docs', 'troubleshooting.md'), 'utf8');
const entries = page.split(/^### /m).slice(1);
const messages = entries.map((entry) => /^`([^`]+)`/.exec(entry)![1]!);

const sources = readdirSync(join(root, 'packages'), { recursive: true })
  .map(String)
  .filter((file) => /\.(ts|mjs)$/.test(file) && !/node_modules|dist|\.(spec|d)\.ts$/.test(file))
  .map((file) => readFileSync(join(root, 'packages', file), 'utf8').replaceAll("\\'", "'"));

/** What stands between the parts of a message that differ. */
const piecesOf = (message: string): string[] =>
  message
    .split('..')
    .map((piece) => piece.trim())
    .filter((piece) => piece.length > 3);

it('has an entry for messages of every kind, with what to do', () => {
  expect(messages.length).toBeGreaterThan(20);
  expect(new Set(messages).size).toBe(messages.length);
  for (const entry of entries) expect(entry.trim().split('\n').slice(1).join('').length).toBeGreaterThan(60);
});

it.each(messages.map((message) => [message]))('a program says "%s"', (message) => {
  const pieces = piecesOf(message);
  expect(pieces.length).toBeGreaterThan(0);
  expect(sources.some((source) => pieces.every((piece) => source.includes(piece)))).toBe(true);
});
