import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createProgram } from '@lethe/cli';
import { EXIT_CODES, silentLogger } from '@lethe/run';
import { letheHere, misuseHere, temporaryFolder } from './lethe.js';

const root = join(__dirname, '..', '..');
const folder = temporaryFolder();
const { commands } = createProgram({ logger: () => silentLogger, exitCode: 0 });

const lacking = commands.filter(
  ({ registeredArguments, options }) =>
    registeredArguments.some(({ required }) => required) || options.some(({ mandatory }) => mandatory),
);
it.each(lacking.map((command) => [command.name()]))('%s refuses a line that lacks something with 2', async (name) => {
  expect(await misuseHere(folder, name)).toMatch(/missing required argument|required option '--\w+/);
});

const others = commands.filter(({ options }) => !options.some(({ mandatory }) => mandatory));
it.each(others.map((command) => [command.name()]))('%s refuses an unknown flag with 2', async (name) => {
  expect(await misuseHere(folder, name, '--nosuch')).toMatch(/unknown option '--nosuch'/);
});

it.each([
  ['two flags for one key', 'unlearn --model a --set model.init=b', '--model and --set model.init=b: both give'],
  ['a change that is none', 'unlearn --set steps', '--set steps: expected key=value'],
  ['neither flags nor a recipe', 'repair --model m', 'expected --synthetic, --natural, or a recipe'],
  ['a time that is none', 'repair --budget soon', '--budget: expected a time such as 30m'],
  ['more threads than there can be', 'repair --threads 5000', 'expected 1 to 4096 threads'],
  ['nothing to vary', 'sweep unlearn', 'what should vary?'],
  ['values that are no list', 'sweep unlearn --vary steps', '--vary steps: expected key=value,value'],
  ['one file to compare', 'compare results.json', 'two or more results to compare, received 1'],
  ['no model', 'eval', 'which model?'],
  ['half of a comparison', 'diagnose --base b --synthetic s', 'give both --synthetic SHARDS and --natural SHARDS'],
  ['seeds that fall', 'paper --seeds 5-3', '--seeds: expected a range that rises'],
  ['nothing to prepare', 'prepare --out o --tokenizer t', 'nothing to prepare'],
  ['an unknown command', 'unlern', 'Did you mean unlearn?'],
  ['help of an unknown command', 'help unlern', 'Did you mean unlearn?'],
])('%s is wrong usage', async (_case, line, message) => {
  expect(await misuseHere(folder, ...line.split(' '))).toContain(message);
});

it.each([
  'repair --model nosuch --synthetic s --natural n',
  'unlearn --recipe nosuch.yaml',
  'unlearn --set optimzer.lr=1',
  'generate --model nosuch --prompt a',
  'compare nosuch.json nosuch.json',
  'inspect nosuch',
  'reproduce nosuch',
  'report nosuch',
  'watch nosuch',
])('%s is a refused input', async (line) => {
  expect((await letheHere(folder, ...line.split(' '))).code).toBe(EXIT_CODES.failed);
});

it('docs/exit-codes.md lists the codes that there are', () => {
  const page = readFileSync(join(root, 'docs', 'exit-codes.md'), 'utf8');
  const listed = [...page.matchAll(/^\| (\d+) +\|/gm)].map(([, code]) => Number(code));
  expect(listed).toEqual(Object.values(EXIT_CODES));
});

it('no command has codes of its own', () => {
  const source = join(root, 'packages');
  const own = readdirSync(source, { recursive: true })
    .map(String)
    .filter((file) => /^\w[\w-]*\/(src|bin)\/.*\.(ts|mjs)$/.test(file) && !/node_modules|\.spec\.ts$/.test(file))
    .filter((file) => /(exitCode|EXIT_CODE\w*) = \d|process\.exit\(\d/.test(readFileSync(join(source, file), 'utf8')));
  expect(own).toEqual([]);
});
