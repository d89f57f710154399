import { useDevice } from '@lethe/tensor';
import { type Finding, ok, reasonOf, warning } from './finding.js';

/** tfjs-node, which nothing needs: whether the device `tensorflow` opens. */
export async function checkTensorflow(): Promise<Finding> {
  const named = process.env.LETHE_TFJS_NODE;
  try {
    await useDevice('tensorflow');
    return ok('tfjs-node', `the device tensorflow multiplies${named ? ' (LETHE_TFJS_NODE)' : ''}`);
  } catch (error) {
    const reason = reasonOf(error);
    // Each place it was looked for has its reason at the end, in parentheses; the one that the user named is the first.
    const reasons = /\((.*)\)$/.exec(reason)?.[1].split('; ') ?? [reason];
    const broken = named ? reasons[0] : reasons.find((one) => !one.includes("Cannot find module '@tensorflow"));
    if (broken === undefined) return ok('tfjs-node', 'not installed, and not needed');
    if (reason.includes('does not compute')) return warning('tfjs-node', reason, 'every other device works');
    const remedy = named ? 'correct or unset LETHE_TFJS_NODE' : 'install it anew, or remove it';
    return warning('tfjs-node', `does not open: ${broken}`, `${remedy}; every other device works without`);
  }
}
