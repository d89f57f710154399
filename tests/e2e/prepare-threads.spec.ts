import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesIn, startLethe, succeed, temporaryFolder } from './lethe.js';
import { prepareProject } from './small-project.js';

/** More text than one thread does before it starts another, and than that one needs to begin. */
const NUM_ROWS = 36_000;
const folder = temporaryFolder();
const at = (...path: string[]): string => join(folder, ...path);
const command = (recipe: string, out: string, threads: number): string[] => [
  'prepare',
  'large.jsonl',
  '--recipe',
  `${recipe}.yaml`,
  '--out',
  out,
  '--threads',
  String(threads),
];

/** All files but prepare.json, and that one without times and threads. */
function written(out: string): Record<string, string> {
  const names = filesIn(at(out)).filter((name) => name !== 'prepare.json');
  const { seconds: _s, bytesPerSecond: _b, tokensPerSecond: _t, threads: _n, ...report } = reportOf(out);
  const bytes = names.map((name) => [name, readFileSync(at(out, name)).toString('base64')]);
  return { ...Object.fromEntries(bytes), report: JSON.stringify(report) };
}

const reportOf = (out: string): Record<string, unknown> & { threads: number } =>
  JSON.parse(readFileSync(at(out, 'prepare.json'), 'utf8')) as Record<string, unknown> & { threads: number };

beforeAll(async () => {
  await prepareProject(folder);
  const words = 'the river stone of light and the winter letter near the window of music '.repeat(5);
  const row = (i: number): string => {
    if (i % 1000 === 7) return 'not JSON';
    if (i % 1000 === 9) return '{"text": " "}';
    if (i % 1000 === 11) return JSON.stringify({ text: words, weight: 2 });
    return JSON.stringify({ text: `${i} ${words}${i % 1000 === 13 ? '</s>' : ''}` });
  };
  writeFileSync(at('large.jsonl'), Array.from({ length: NUM_ROWS }, (_, i) => `${row(i)}\n`).join(''));
  const common = 'tokenizer: natural/tokenizer\ncheckpointTokens: 2000000\n';
  writeFileSync(at('filtered.yaml'), `${common}filters: { exactDuplicates: true }\n`);
  writeFileSync(at('whole.yaml'), common);
}, 300_000);

// Where nothing filters, rows are parsed by the threads that tokenize.
describe.each(['filtered', 'whole'])('%s', (recipe) => {
  const one = `${recipe}-one`;
  beforeAll(() => succeed(folder, ...command(recipe, one, 1)), 300_000);

  it('several threads write what one writes, byte for byte', async () => {
    const three = `${recipe}-three`;
    await succeed(folder, ...command(recipe, three, 3));
    expect(reportOf(one).threads).toBe(1);
    expect(reportOf(three).threads).toBeGreaterThan(1);
    expect(written(three)).toEqual(written(one));
    expect(filesIn(at(one))).toContain('wrong-rows.jsonl');
    expect(filesIn(at(one)).includes('dropped.jsonl')).toBe(recipe === 'filtered');
    const again = await succeed(folder, ...command(recipe, three, 2));
    expect(again.stderr).toContain('the same preparation is there already');
  });

  it('a signal ends all threads, and another number of them goes on', async () => {
    const stopped = `${recipe}-stopped`;
    const { process: running, ended } = startLethe(folder, ...command(recipe, stopped, 2));
    const state = at(stopped, 'prepare-state.json');
    const numDone = (): number =>
      existsSync(state) ? (JSON.parse(readFileSync(state, 'utf8')) as { documents: number }).documents : 0;
    while (numDone() < NUM_ROWS / 2 && running.exitCode === null)
      await new Promise((resolve) => setTimeout(resolve, 20));
    running.kill('SIGINT');
    expect((await ended).code).toBe(130);
    await succeed(folder, ...command(recipe, stopped, 2));
    expect(written(stopped)).toEqual(written(one));
  });
});

it('little text starts no thread', () => expect(reportOf('natural').threads).toBe(1));
