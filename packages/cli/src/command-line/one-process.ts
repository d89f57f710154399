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

/** @throws UserError where a launcher has started several processes of a command that is one process's work. */
export function requireOneProcess(command: string, find = launchOf): void {
  if (SHARED.includes(command)) return;
  const launch = find();
  if (!launch) return;
  const shared = SHARED.join(', ');
  throw new UserError(
    `lethe ${command} is the work of one process, and ${launch.launcher} has started ${launch.size}; start it without. Processes share ${shared}`,
  );
}
