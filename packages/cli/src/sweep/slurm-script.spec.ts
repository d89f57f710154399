import { slurmScript } from './slurm-script.js';
import type { SweepPlan } from './plan-sweep.js';

const plan = {
  folder: 'runs/try',
  variations: [],
  runs: Array.from({ length: 3 }, () => ({})),
} as unknown as SweepPlan;

it('is an array of a task a run, each with the words of the sweep and its part', () => {
  const request = { stage: 'unlearn', set: ['steps=4', "name=it's"], vary: ['optimizer.lr=1e-5, 2e-5'], name: 'try' };
  expect(slurmScript(plan, request, ['/usr/bin/node', '/opt/a b/lethe.mjs'])).toBe(`#!/bin/bash
# The 3 runs of runs/try. When they have ended, the same command without --over makes the table.
#SBATCH --job-name=lethe-sweep
#SBATCH --array=1-3
#SBATCH --signal=B:TERM@120
exec /usr/bin/node '/opt/a b/lethe.mjs' sweep unlearn --set steps=4 --set 'name=it'\\''s' --vary 'optimizer.lr=1e-5, 2e-5' --name try --only "$SLURM_ARRAY_TASK_ID/3"
`);
});

it('names the files that the command named', () => {
  const request = { stage: 'pretrain', recipe: 'a.yaml', set: [], vary: [], sweep: 'grid.yaml' };
  expect(slurmScript(plan, request, ['lethe'])).toContain(
    'exec lethe sweep pretrain --recipe a.yaml --sweep grid.yaml --only "$SLURM_ARRAY_TASK_ID/3"\n',
  );
});
