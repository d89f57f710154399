import { formatDuration, type StopSignal, UserError } from '@lethe/run';
import { chosenOf, isAnyEnough, type ProbeRecord, type Trial } from './choose.js';
import { type Probing, probeRun, unlessStopped } from './probe-run.js';
import { candidatesOf, moreCandidatesOf, repairRecipe, type RepairSetup, withoutForgetting } from './repair-recipe.js';
import type { Candidate, Choice } from './results.js';

/**
 * Tries every setting for a few steps beside replay alone, on rows that are not reported.
 * @returns what each did and which is chosen, or the signal that stopped it.
 * @throws UserError where every setting ends in a number that is not finite.
 */
export function chooseSettings(setup: RepairSetup, goal: number, probing: Probing): Promise<Choice | StopSignal> {
  return unlessStopped(() => tryAll(setup, goal, probing));
}

async function tryAll(setup: RepairSetup, goal: number, probing: Probing): Promise<Choice> {
  const candidates = candidatesOf(setup);
  const probes = new Probes(setup, probing, candidates.length + new Set(candidates.map(({ lr }) => lr)).size);
  const controls = new Map<number, ProbeRecord>();
  const trials: Trial[] = [];
  const failed: Choice['failed'] = [];
  const tryOne = async (candidate: Candidate): Promise<void> => {
    const { lr, name } = candidate;
    const control = controls.get(lr) ?? (await probes.run({ ...withoutForgetting(candidate), name: `control-${lr}` }));
    controls.set(lr, control);
    const record = await probes.run(candidate);
    const why = control.failed ?? record.failed;
    if (why === undefined) trials.push({ candidate, record, control });
    else failed.push({ name, why });
  };
  for (const candidate of candidates) await tryOne(candidate);
  if (!isAnyEnough(trials, goal)) for (const candidate of probes.more(moreCandidatesOf(setup))) await tryOne(candidate);
  if (trials.length > 0) return { goal, failed, ...chosenOf(trials, goal) };
  throw new UserError(`every setting failed, the first one with: ${failed[0].why}; is the model sound?`);
}

/** Short runs, one after another. */
class Probes {
  private numDone = 0;
  /** Of this process: their number and seconds. */
  private readonly timed = { count: 0, seconds: 0 };

  constructor(
    private readonly setup: RepairSetup,
    private readonly probing: Probing,
    private total: number,
  ) {}

  /** Settings beyond those that were counted. */
  more(candidates: Candidate[]): Candidate[] {
    this.total += candidates.length;
    return candidates;
  }

  /** What a setting does, now or as it was found before. @throws Stopped at a signal. */
  run(candidate: Candidate): Promise<ProbeRecord> {
    this.numDone++;
    return this.probing.phases.once(`probe-${candidate.name}`, async () => {
      this.probing.logger.info(`[${this.numDone}/${this.total}] probe ${candidate.name}${this.left()}`);
      const began = performance.now();
      const name = `probe-${candidate.name}`;
      const recipe = repairRecipe(this.setup, { name, candidate, steps: this.setup.plan.probeSteps });
      const record = await probeRun(recipe, this.probing);
      this.timed.seconds += (performance.now() - began) / 1000;
      this.timed.count++;
      return record;
    });
  }

  /** The time left of the whole repair: it and its control take about as long as two probes. */
  private left(): string {
    const { count, seconds } = this.timed;
    if (count === 0) return '';
    return `, about ${formatDuration((seconds / count) * (this.total - this.numDone + 3))} left of the repair`;
  }
}
