import { existsSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { startLethe, temporaryFolder } from './lethe.js';
import { itCanBeRead } from './readable-page.js';

interface Results {
  claims: { id: string; span?: string; outcome: string; effect: number; seeds: number }[];
  lineages: { seed: number }[];
}

const folder = temporaryFolder();
const at = (...path: string[]): string => join(folder, 'out', ...path);
const paper = (seeds: string, ...more: string[]) =>
  startLethe(folder, '--quiet', 'paper', '--quick', '--seeds', seeds, '--jobs', '2', '--out', 'out', ...more);

it('makes the lineages of two seeds beside each other, goes on after Ctrl-C, and two seeds decide nothing', async () => {
  const first = paper('7,8');
  while (!existsSync(at('seed-7', 'synth', 'model')) && first.process.exitCode === null)
    await new Promise((resolve) => setTimeout(resolve, 20));
  first.process.kill('SIGINT');
  expect((await first.ended).code).toBe(130);
  expect(existsSync(at('paper.json'))).toBe(false);

  const { code, stdout, stderr } = await paper('7,8').ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('Error') });
  const { claims, lineages } = JSON.parse(readFileSync(at('paper.json'), 'utf8')) as Results;
  expect(lineages.map(({ seed }) => seed)).toEqual([7, 8]);
  expect([...new Set(claims.map(({ id }) => id))]).toEqual(['C1', 'C2', 'C3', 'C4', 'C5', 'C6', 'C7', 'C8']);
  expect(claims.every(({ outcome, seeds }) => outcome === 'cannot-tell' && seeds === 2)).toBe(true);
  expect(claims.filter(({ effect }) => !Number.isFinite(effect))).toEqual([]);
  expect(stdout).toMatch(/gives back .* more than replay alone/);
  expect(readFileSync(at('report.html'), 'utf8')).toContain('gives back');
}, 900000);

itCanBeRead('its page', () => at('report.html'));

it('another study goes on from the same models', async () => {
  const made = statSync(at('seed-7', 'synth', 'model', 'model.safetensors')).mtimeMs;
  const { code, stdout } = await paper('7', '--study', 'relapse', '--json').ended;
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual(JSON.parse(readFileSync(at('relapse.json'), 'utf8')));
  const { looks } = JSON.parse(readFileSync(at('relapse.json'), 'utf8')) as {
    looks: { patternP: { effect: number } }[];
  };
  expect(looks).toHaveLength(24);
  for (const { patternP } of looks) expect(patternP.effect).toBeGreaterThan(0);
  expect(statSync(at('seed-7', 'synth', 'model', 'model.safetensors')).mtimeMs).toBe(made);
}, 900000);

it('a folder that holds another run is told in one line, with the seed', async () => {
  renameSync(at(), join(folder, 'moved')); // Its recipes name the corpus where it was.
  const { code, stderr } = await paper('7', '--out', 'moved').ended;
  expect(code).toBe(1);
  expect(stderr.trim()).toMatch(/^lethe: seed 7: \S*moved.seed-7.base holds a run of another recipe[^\n;]*; [^\n]*$/);
}, 900000);
