import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startLethe, temporaryFolder } from './lethe.js';

interface Results {
  claims: { id: string; span?: string; outcome: string; effect: number; seeds: number }[];
  lineages: { seed: number }[];
}

const folder = temporaryFolder();
const at = (...path: string[]): string => join(folder, 'out', ...path);
const paper = () => startLethe(folder, '--quiet', 'paper', '--quick', '--seeds', '7,8', '--jobs', '2', '--out', 'out');

it('makes the lineages of two seeds beside each other, goes on after Ctrl-C, and two seeds decide nothing', async () => {
  const first = paper();
  while (!existsSync(at('seed-7', 'synth', 'model')) && first.process.exitCode === null)
    await new Promise((resolve) => setTimeout(resolve, 20));
  first.process.kill('SIGINT');
  expect((await first.ended).code).toBe(130);
  expect(existsSync(at('paper.json'))).toBe(false);

  const { code, stdout, stderr } = await paper().ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('Error') });
  const { claims, lineages } = JSON.parse(readFileSync(at('paper.json'), 'utf8')) as Results;
  expect(lineages.map(({ seed }) => seed)).toEqual([7, 8]);
  expect([...new Set(claims.map(({ id }) => id))]).toEqual(['C1', 'C2', 'C3', 'C4', 'C5', 'C6', 'C7', 'C8']);
  expect(claims.every(({ outcome, seeds }) => outcome === 'cannot-tell' && seeds === 2)).toBe(true);
  expect(claims.filter(({ effect }) => !Number.isFinite(effect))).toEqual([]);
  expect(stdout).toMatch(/gives back .* more than replay alone/);
  expect(readFileSync(at('report.html'), 'utf8')).toContain('gives back');
}, 900000);
