import { useDevice } from '@lethe/tensor';
import { type Finding, ok, reasonOf, warning } from './finding.js';

/** The check's name, by the device that an optional package gives. */
const CHECKS = { tensorflow: 'tfjs-node', wasm: 'tfjs-wasm' } as const;

/** A device of tfjs's own, which nothing needs: whether it opens and computes. */
export async function checkTfjs(device: keyof typeof CHECKS): Promise<Finding> {
  const check = CHECKS[device];
  const named = device === 'tensorflow' ? process.env.LETHE_TFJS_NODE : undefined;
  try {
    await useDevice(device);
    return ok(check, `the device ${device} multiplies${named ? ' (LETHE_TFJS_NODE)' : ''}`);
  } catch (error) {
    const reason = reasonOf(error);
    // Each place it was looked for has its reason at the end, in parentheses; the one that the user named is the first.
    const reasons = /\((.*)\)$/.exec(reason)?.[1].split('; ') ?? [reason];
    const broken = named ? reasons[0] : reasons.find((one) => !one.includes("Cannot find module '@tensorflow"));
    if (broken === undefined) return ok(check, 'not installed, and not needed');
    if (reason.includes('does not compute')) return warning(check, reason, 'every other device works');
    const remedy = named ? 'correct or unset LETHE_TFJS_NODE' : 'install it anew, or remove it';
    return warning(check, `does not open: ${broken}`, `${remedy}; every other device works without`);
  }
}
