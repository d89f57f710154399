import { sandboxProblem } from '@lethe/eval';
import { type Finding, ok, warning } from './finding.js';

/** Runs a program in the sandbox, as `lethe eval` does before HumanEval and MBPP. */
export async function checkSandbox(programs?: Record<string, string>): Promise<Finding> {
  const problem = await sandboxProblem(programs);
  if (problem === undefined) return ok('sandbox', 'bubblewrap runs Python (HumanEval, MBPP)');
  return warning('sandbox', 'none: HumanEval and MBPP need --without-sandbox', problem);
}
