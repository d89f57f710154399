import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  lockWithin,
  type Logger,
  readRunManifest,
  type StopRequest,
  whileLocked,
  writeFileAtomically,
} from '@lethe/run';
import { decisionText, runStage } from '@lethe/train';
import type { Stopped } from '../command-line/until-stopped.js';
import { recordedVersions } from '../command-line/recorded-versions.js';
import type { PlannedRun, SweepPlan } from './plan-sweep.js';
import { outcomeOf, readSweep, type SweepResults } from './read-sweep.js';
import { sweepCsv } from './sweep-table.js';

/** Whom a sweep tells, and who stops it. */
export interface SweepOptions {
  logger: Logger;
  stop: StopRequest;
}

/** Makes `sweep.json` and `sweep.csv` of a sweep from the files of its runs. */
export function writeSweep(folder: string): SweepResults {
  const results = readSweep(folder);
  writeFileAtomically(join(folder, 'sweep.json'), `${JSON.stringify(results, null, 2)}\n`);
  writeFileAtomically(join(folder, 'sweep.csv'), sweepCsv(results));
  return results;
}

/**
 * Runs the runs of a sweep one after another: finished ones are left alone, others go on. A run that fails does not end the
 * sweep; its manifest says why. The results are written after each run.
 * @returns what stopped it.
 * @throws LockedError while another process works in its folder.
 */
export function runSweep(plan: SweepPlan, options: SweepOptions): Promise<Stopped | undefined> {
  return whileLocked(lockWithin(plan.folder), () => runAll(plan, options));
}

async function runAll({ folder, runs }: SweepPlan, options: SweepOptions): Promise<Stopped | undefined> {
  for (const [i, run] of runs.entries()) {
    const after = `${i} of ${runs.length} runs`;
    if (options.stop.requested) return { by: options.stop.requested, after };
    options.logger.info(`[${i + 1}/${runs.length}] ${run.vary.join(' ')}`);
    const by = await runOne(run, options);
    writeSweep(folder);
    if (by) return { by, after };
  }
  return undefined;
}

async function runOne({ recipe, command }: PlannedRun, options: SweepOptions): Promise<Stopped['by'] | undefined> {
  const { logger } = options;
  try {
    const { stoppedBy, decision } = await runStage(recipe, { ...options, command, versions: recordedVersions() });
    if (decision) logger.info(decisionText(decision, recipe));
    return stoppedBy;
  } catch (error) {
    logger.endProgress();
    const { message } = error as Error;
    if (failureOf(join(recipe.runs, recipe.name)) !== message) throw error;
    logger.error(`${recipe.name}: ${message}`);
    return undefined;
  }
}

/** Why a run failed, by its manifest; what goes wrong before a run has begun is in none. */
function failureOf(folder: string): string | undefined {
  return existsSync(join(folder, 'manifest.json')) ? outcomeOf(readRunManifest(folder)).reason : undefined;
}
