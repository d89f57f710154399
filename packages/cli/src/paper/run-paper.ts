import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Logger,
  silentLogger,
  type StopRequest,
  type StopSignal,
  UserError,
  writeFileAtomically,
} from '@lethe/run';
import type { Claim } from './claim.js';
import { claimsOf } from './claims.js';
import { makeCorpus } from './corpus.js';
import { makeLineage, makeLineages } from './make-lineages.js';
import { paperPage } from './page.js';
import type { Regime } from './regime.js';
import type { LineageMeasures } from './run-lineage.js';

/** What `paper.json` holds. */
export interface PaperResults {
  claims: Claim[];
  regime: Regime;
  precision: string;
  seconds: number;
  lineages: LineageMeasures[];
}

/** Where it writes, on which seeds, and whom it tells. */
export interface PaperOptions {
  folder: string;
  seeds: readonly number[];
  /** Lineages at a time. */
  jobs: number;
  precision: 'fp32' | 'bf16';
  logger: Logger;
  stop: StopRequest;
}

/**
 * Takes a folder for one regime and precision: measures of another in it would be read as this one's.
 * @throws UserError where it is another's.
 */
function takeFolder(folder: string, settings: { regime: Regime; precision: string }): void {
  const file = join(folder, 'settings.json');
  const text = `${JSON.stringify(settings, null, 1)}\n`;
  mkdirSync(folder, { recursive: true });
  if (!existsSync(file)) writeFileAtomically(file, text);
  else if (readFileSync(file, 'utf8') !== text)
    throw new UserError(
      `${folder}: its models are of another regime or precision (${file}); give another folder with --out, or delete this one`,
    );
}

/**
 * The paper's lineage for every seed, and what it says of each claim. Finished models and measures are not made again, so
 * an interrupted run goes on where it stopped.
 * @returns the results, or the signal that stopped it.
 */
export async function runPaper(regime: Regime, options: PaperOptions): Promise<PaperResults | StopSignal> {
  const { folder, seeds, jobs, precision, logger, stop } = options;
  const began = performance.now();
  takeFolder(folder, { regime, precision });
  await makeCorpus(join(folder, 'corpus'), regime, logger);
  const tasks = seeds.map((seed) => ({ folder, seed, regime, precision }));
  const stoppedBy = await makeLineages(tasks, { jobs, logger, stop });
  if (stoppedBy) return stoppedBy;
  const lineages: LineageMeasures[] = [];
  for (const task of tasks) {
    const made = await makeLineage(task, { logger: silentLogger, stop, onModel: () => {} });
    if (typeof made === 'string') return made;
    lineages.push(made);
  }
  const claims = claimsOf(lineages);
  const seconds = (performance.now() - began) / 1000;
  const results: PaperResults = { claims, regime, precision, seconds, lineages };
  writeFileAtomically(join(folder, 'paper.json'), `${JSON.stringify(results)}\n`);
  writeFileAtomically(join(folder, 'report.html'), paperPage(results));
  return results;
}
