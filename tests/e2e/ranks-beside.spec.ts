import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ENVIRONMENT, hasMpi } from './ranks.js';

const PROGRAM = join(__dirname, 'ranks-beside.mjs');

interface Told {
  weights: string;
  expected: string;
  sent: string[];
}

// On three ranks no parameter divides evenly: of the embedding, the head and the projections a rest is left.
(hasMpi ? it : it.skip).each([
  ['optimizer', 3],
  ['none', 3],
  ['optimizer', 4],
])('moments divided by %s, %d ranks: what travels beside a step gives the same bits as in turn', (shard, ranks) => {
  const args = ['--oversubscribe', '-np', String(ranks), process.execPath, PROGRAM, shard];
  const { status, stdout, stderr } = spawnSync('mpirun', args, {
    encoding: 'utf8',
    env: { ...process.env, ...ENVIRONMENT },
    timeout: 240_000,
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const told = JSON.parse(stdout) as Told[];
  expect(told).toHaveLength(ranks);
  expect(new Set(told.flatMap(({ weights, expected }) => [weights, expected])).size).toBe(1);
  // The embedding, the head and, of each of three layers, seven projections; the embedding comes last, alone.
  for (const { sent } of told)
    for (const step of [0, 1, 2]) {
      const [head, ...rest] = sent.slice(23 * step, 23 * step + 23);
      expect(rest.slice(0, -1)).toEqual(rest.slice(0, -1).map(() => head));
      expect(rest.at(-1)).not.toBe(head);
    }
  expect(told[0].sent).toHaveLength(3 * 23);
});
