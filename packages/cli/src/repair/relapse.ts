import type { StopSignal } from '@lethe/run';
import type { ProbeRecord } from './choose.js';
import { type Probing, probeRun, unlessStopped } from './probe-run.js';
import { repairRecipe, type RepairSetup } from './repair-recipe.js';
import type { Candidate, Relapse, RelapsePath } from './results.js';

/** Of what training goes on with, the part that is synthetic text. */
const SHARE = 0.02;

/**
 * How soon the pattern is back when the repaired model is trained on, at the largest of the learning rates, for as many steps as a
 * setting is tried, and a little of the natural text is synthetic. The base, which never saw the pattern, is the null.
 * @param repaired folder of the model. @param start the pattern's probability before the repair, on the text that chooses.
 * @returns what was found, null where a number was not finite, or the signal that stopped it.
 */
export function findRelapse(
  setup: RepairSetup,
  { repaired, start }: { repaired: string; start: number },
  probing: Probing,
): Promise<Relapse | null | StopSignal> {
  const lr = setup.plan.lrs[0];
  const back = start / 2;
  const of = (name: string, model: string): Promise<RelapsePath | null> =>
    probing.phases.once(name, async () => {
      probing.logger.info(`${name}: ${setup.plan.probeSteps} steps more with ${100 * SHARE}% synthetic text`);
      const candidate: Candidate = { name, span: 'template', weights: { forgetting: 0, replay: 1, mitigation: 0 }, lr };
      const run = { name, candidate, steps: setup.plan.probeSteps, mixedIn: SHARE };
      const record = await probeRun(repairRecipe({ ...setup, model }, run), probing);
      return record.failed === undefined ? pathOf(record, { setup, back }) : null;
    });
  return unlessStopped(async () => {
    const found = await of('relapse', repaired);
    const ofBase = setup.base === undefined ? null : await of('relapse-base', setup.base);
    return found && { share: SHARE, lr, back, repaired: found, base: ofBase };
  });
}

function pathOf({ points }: ProbeRecord, { setup, back }: { setup: RepairSetup; back: number }): RelapsePath {
  const { replayRows, accumulate, rowLength } = setup.plan;
  const path = points.map(({ step, forgetP }) => ({
    step,
    tokens: step * replayRows * accumulate * rowLength,
    patternP: forgetP,
  }));
  return { path, backAfter: path.find(({ patternP }) => patternP >= back)?.tokens ?? null };
}
