import { UserError } from '@lethe/run';
import { type Isolation, missingPrograms } from './isolation.js';
import { runProgram } from './run-program.js';

/** Why programs cannot be isolated here, and what to do; undefined where they can. */
export async function sandboxProblem(programs?: Record<string, string>): Promise<string | undefined> {
  const missing = missingPrograms(programs);
  if (missing.length > 0) {
    return `${missing.join(', ')} not found; install Debian's packages with: apt-get install bubblewrap util-linux python3`;
  }
  const { verdict, detail } = await runProgram('assert 1 + 1 == 2', { isolation: 'bubblewrap', seconds: 60 });
  if (verdict === 'pass') return undefined;
  return `bubblewrap does not work here (${detail || verdict}); run where user namespaces are allowed (sysctl kernel.unprivileged_userns_clone=1, or a container with its own user namespaces)`;
}

/**
 * The isolation that programs run under.
 * @throws UserError where there is none and the user has not allowed that.
 */
export async function chooseIsolation(
  { allowsNone }: { allowsNone: boolean },
  programs?: Record<string, string>,
): Promise<Isolation> {
  const problem = await sandboxProblem(programs);
  if (problem === undefined) return 'bubblewrap';
  if (allowsNone) return 'none';
  throw new UserError(
    `programs that a model writes are not run outside a sandbox: ${problem}. To run them with your own rights all the same, add --without-sandbox`,
  );
}
