import { type TargetCounts, type TermSums } from '@lethe/losses';
import type { StopRequest, StopSignal } from '@lethe/run';
import type { Collectives } from '@lethe/tensor';
import { describeMicroBatches, type MicroBatch } from '../micro-batch.js';
import type { Optimizer } from '../optimizer.js';
import { accumulateGradients, countTargets, evaluateBatches, type StepContext } from '../step.js';
import { GradientSums } from './gradient-sums.js';

async function countsOf(context: StepContext, batches: MicroBatch[], ranks: Collectives): Promise<TargetCounts> {
  const counts = countTargets(batches, context.objective.method);
  const [forget, replay, held] = await ranks.sum([counts.forget, counts.replay, counts.held ?? counts.replay]);
  return { forget, replay, held };
}

/** Adds up the sums of all ranks. */
export async function sumOverRanks(sums: TermSums, ranks: Collectives): Promise<TermSums> {
  if (ranks.size === 1) return sums;
  const names = Object.keys(NO_SUMS) as (keyof TermSums)[];
  const totals = await ranks.sum(names.map((name) => sums[name]));
  return Object.fromEntries(names.map((name, i) => [name, totals[i]])) as unknown as TermSums;
}

/** Each rank's micro-batches forwards and backwards; then all have the sums of all, and each the gradients it updates by. */
export async function gradientsOverRanks(
  context: StepContext,
  batches: MicroBatch[],
  { optimizer, ranks }: { optimizer: Optimizer; ranks: Collectives },
): Promise<TermSums> {
  if (ranks.size === 1) return accumulateGradients(context, batches);
  const gradients = new GradientSums(optimizer, ranks);
  const counts = await countsOf(context, batches, ranks);
  const sums = accumulateGradients(context, batches, { counts, onFinal: gradients.isFinal });
  await gradients.finish();
  return sumOverRanks(sums, ranks);
}

/** The sums of the objective over every rank's micro-batches, without gradients. */
export async function evaluateOverRanks(
  context: StepContext,
  batches: MicroBatch[],
  ranks: Collectives,
): Promise<TermSums> {
  return sumOverRanks(evaluateBatches(context, batches), ranks);
}

/** The largest of what the ranks have, such as bytes. */
export async function mostOfRanks(value: number, ranks: Collectives): Promise<number> {
  return Math.max(...(await ranks.sum(ranks.places.map((_, rank) => (rank === ranks.rank ? value : 0)))));
}

const SIGNALS = ['SIGTERM', 'SIGINT'] as const satisfies StopSignal[];

/** The signal that has reached any rank: all stop after the same step. */
export async function stopOfAny(stop: StopRequest | undefined, ranks: Collectives): Promise<StopSignal | undefined> {
  if (ranks.size === 1) return stop?.requested;
  const reached = await ranks.sum(SIGNALS.map((signal) => Number(stop?.requested === signal)));
  return SIGNALS.find((_, i) => reached[i] > 0);
}

/** What the micro-batches of all ranks are made of, for messages. */
export async function describeOverRanks(batches: MicroBatch[], ranks: Collectives): Promise<string> {
  const all = await ranks.gather(describeMicroBatches(batches));
  return all.map((rows, rank) => `rank ${rank}: ${rows}`).join('; ');
}

/** Sums of no rows. */
export const NO_SUMS: TermSums = {
  forgetting: 0,
  replay: 0,
  mitigation: 0,
  forgetTargets: 0,
  replayTargets: 0,
  forgetP: 0,
  push: 0,
  forgetSequences: 0,
  heldTargets: 0,
};
