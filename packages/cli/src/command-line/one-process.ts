import { UserError } from '@lethe/run';
import { launchOf } from '@lethe/tensor';
import { trainRecipeSchema } from '@lethe/train';

/** Commands whose work the processes of a job share: the stages of training. */
const SHARED: readonly string[] = trainRecipeSchema.shape.stage.options;

/** This process in its job; 0 where it is alone. */
export function rankOfJob(): number {
  try {
    return launchOf()?.rank ?? 0;
  } catch {
    return 0; // a launch that is refused, for which the command tells the reason
  }
}

/**
 * Refuses what is one process's work where a launcher has started several. The processes of a sweep `over` MPI share it.
 * @throws UserError with the remedy.
 */
export function requireOneProcess(command: string, over?: string, find = launchOf): void {
  if (SHARED.includes(command) || over === 'mpi') return;
  const launch = find();
  if (!launch) return;
  const shared = SHARED.join(', ');
  const more = command === 'sweep' ? '; --over mpi gives each process runs of its own' : '';
  throw new UserError(
    `lethe ${command} is the work of one process, and ${launch.launcher} has started ${launch.size}; start it without${more}. Processes share ${shared}`,
  );
}
