import { shellWords } from '../command-line/shell-words.js';
import type { SweepPlan, SweepRequest } from './plan-sweep.js';

/** The words of `lethe sweep` that ask for the same sweep. */
function wordsOf({ stage, recipe, set, vary, sweep, name }: SweepRequest): string[] {
  const flags = { recipe, set, vary, sweep, name };
  return [
    'sweep',
    stage,
    ...Object.entries(flags).flatMap(([flag, values]) =>
      [values ?? []].flat().flatMap((value) => [`--${flag}`, value]),
    ),
  ];
}

/**
 * A script for `sbatch`: an array with a task for each run, which `--only` names. The signal, two minutes before a task's
 * time is over, saves its run; the shell gives way to the program, so that it is this one that is told.
 * @param program the words that start `lethe`.
 */
export function slurmScript({ folder, runs }: SweepPlan, request: SweepRequest, program: readonly string[]): string {
  const words = shellWords([...program, ...wordsOf(request)]);
  return `#!/bin/bash
# The ${runs.length} runs of ${folder}. When they have ended, the same command without --over makes the table.
#SBATCH --job-name=lethe-sweep
#SBATCH --array=1-${runs.length}
#SBATCH --signal=B:TERM@120
exec ${words} --only "$SLURM_ARRAY_TASK_ID/${runs.length}"
`;
}
