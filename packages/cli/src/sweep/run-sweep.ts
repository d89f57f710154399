import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  lockWithin,
  type Logger,
  readRunManifest,
  type StopRequest,
  UsageError,
  writeFileAtomically,
} from '@lethe/run';
import { alone, type Collectives } from '@lethe/tensor';
import {
  decisionText,
  firstAlone,
  requireSame,
  runStage,
  stopOfAny,
  takePartOfMachine,
  together,
  whileAllWork,
} from '@lethe/train';
import type { Stopped } from '../command-line/until-stopped.js';
import { recordedVersions } from '../command-line/recorded-versions.js';
import { type Part, partOf } from './part.js';
import { checkSweep, type PlannedRun, type SweepPlan } from './plan-sweep.js';
import { outcomeOf, readSweep, type SweepResults } from './read-sweep.js';
import { sweepCsv } from './sweep-table.js';

/** Whom a sweep tells, who stops it, and who shares its runs. */
export interface SweepOptions {
  logger: Logger;
  stop: StopRequest;
  /** Processes that take runs of their own. */
  ranks: Collectives;
  /** The part that this process is for; others are for the others, at the same time or not. */
  only?: Part;
}

/** How a sweep ended. */
export interface SweepEnd {
  stopped?: Stopped;
  /** Runs, and those of them that failed. */
  numRuns: number;
  numFailed: number;
  /** Of all runs in the folder; absent for a part, and on all ranks but the first. */
  results?: SweepResults;
}

/** Makes `sweep.json` and `sweep.csv` of a sweep from the files of its runs. */
export function writeSweep(folder: string): SweepResults {
  const results = readSweep(folder);
  writeFileAtomically(join(folder, 'sweep.json'), `${JSON.stringify(results, null, 2)}\n`);
  writeFileAtomically(join(folder, 'sweep.csv'), sweepCsv(results));
  return results;
}

/**
 * Runs the runs of a sweep, each rank its own one after another: finished ones are left alone, others go on. A run that
 * fails does not end the sweep; its manifest says why. The first rank writes the results after each of its runs and at the
 * end; a part writes none, for others may.
 * @throws LockedError while another process works in a folder; UserError naming the flags of a run that cannot be.
 */
export async function runSweep(plan: SweepPlan, options: SweepOptions): Promise<SweepEnd> {
  const { ranks, logger, only } = options;
  if (only) {
    const part = await checkSweep({ ...plan, runs: partOf(plan.runs, only) }, logger);
    return endOf(part, await runAll(part.runs, options), ranks);
  }
  const lock = lockWithin(plan.folder);
  return whileAllWork({ ranks, recipe: plan.runs[0].recipe, lock }, () => shareRuns(plan, options));
}

async function shareRuns(given: SweepPlan, options: SweepOptions): Promise<SweepEnd> {
  const { ranks, logger } = options;
  const plan = await firstAlone(ranks, () => checkSweep(given, logger));
  if (ranks.size > 1) await joinSweep(plan, ranks);
  const mine = partOf(plan.runs, { index: ranks.rank, of: ranks.size });
  const tell = (): void => void (ranks.rank === 0 && writeSweep(plan.folder));
  const end = await endOf(plan, await together(ranks, () => runAll(mine, options, tell)), ranks);
  return ranks.rank === 0 ? { ...end, results: writeSweep(plan.folder) } : end;
}

/** @throws UsageError for more ranks than runs; UserError where they are not about the same runs. */
async function joinSweep({ runs }: SweepPlan, ranks: Collectives): Promise<void> {
  ranks.at('the sweep');
  const value = JSON.stringify(runs.map(({ vary }) => vary));
  await requireSame([{ name: 'list of runs', value, remedy: 'give every rank the same command' }], ranks);
  await together(ranks, () => {
    if (ranks.size <= runs.length) return takePartOfMachine(ranks);
    throw new UsageError(`there are ${runs.length} runs and ${ranks.size} ranks; start ${runs.length} or fewer`);
  });
}

interface Done {
  numDone: number;
  numFailed: number;
  by?: Stopped['by'];
}

/** What all ranks have done together. */
async function endOf({ runs }: SweepPlan, { by, ...counts }: Done, ranks: Collectives): Promise<SweepEnd> {
  const stoppedBy = await stopOfAny({ requested: by, dispose: () => {} }, ranks);
  const [numDone, numFailed] = await ranks.sum([counts.numDone, counts.numFailed]);
  const numRuns = runs.length;
  const stopped = stoppedBy && { by: stoppedBy, after: `${numDone} of ${numRuns} runs` };
  return { ...(stopped && { stopped }), numRuns, numFailed };
}

async function runAll(runs: readonly PlannedRun[], options: SweepOptions, tell = () => {}): Promise<Done> {
  const { stop, logger } = options;
  let numFailed = 0;
  for (const [numDone, run] of runs.entries()) {
    if (stop.requested) return { by: stop.requested, numDone, numFailed };
    logger.info(`[${numDone + 1}/${runs.length}] ${run.vary.join(' ')}`);
    const by = await runOne(run, options);
    tell();
    if (by) return { by, numDone, numFailed };
    if (endOfRun(run).outcome === 'failed') numFailed++;
  }
  return { numDone: runs.length, numFailed };
}

async function runOne(run: PlannedRun, { logger, stop }: SweepOptions): Promise<Stopped['by'] | undefined> {
  const { recipe, command } = run;
  try {
    // Each run is the work of one process, whatever job that is of.
    const how = { logger, stop, ranks: alone, command, versions: recordedVersions() };
    const { stoppedBy, decision } = await runStage(recipe, how);
    if (decision) logger.info(decisionText(decision, recipe));
    return stoppedBy;
  } catch (error) {
    logger.endProgress();
    const { message } = error as Error;
    if (endOfRun(run).reason !== message) throw error;
    logger.error(`${recipe.name}: ${message}`);
    return undefined;
  }
}

/** How a run ended, by its manifest; what goes wrong before a run has begun is in none. */
function endOfRun({ recipe }: PlannedRun): Partial<ReturnType<typeof outcomeOf>> {
  const folder = join(recipe.runs, recipe.name);
  return existsSync(join(folder, 'manifest.json')) ? outcomeOf(readRunManifest(folder)) : {};
}
