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
import { type LineageTask, makeLineage, makeLineages } from './make-lineages.js';
import { methodResults } from './methods.js';
import { methodsPage, type MethodsResults } from './methods-page.js';
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

/** The lineages of all seeds. Finished models and measures are not made again: an interrupted run goes on where it stopped. */
async function lineagesOf(
  regime: Regime,
  { folder, seeds, jobs, precision, logger, stop }: PaperOptions,
  plan: LineageTask['plan'],
): Promise<LineageMeasures[] | StopSignal> {
  takeFolder(folder, { regime, precision });
  await makeCorpus(join(folder, 'corpus'), regime, logger);
  const tasks = seeds.map((seed) => ({ folder, seed, regime, precision, plan }));
  const stoppedBy = await makeLineages(tasks, { jobs, logger, stop });
  if (stoppedBy) return stoppedBy;
  const lineages: LineageMeasures[] = [];
  for (const task of tasks) {
    const made = await makeLineage(task, { logger: silentLogger, stop, onModel: () => {} });
    if (typeof made === 'string') return made;
    lineages.push(made);
  }
  return lineages;
}

/** The paper's lineage for every seed, and what it says of each claim; or the signal that stopped it. */
export async function runPaper(regime: Regime, options: PaperOptions): Promise<PaperResults | StopSignal> {
  const { folder, precision } = options;
  const began = performance.now();
  const lineages = await lineagesOf(regime, options, 'claims');
  if (typeof lineages === 'string') return lineages;
  const seconds = (performance.now() - began) / 1000;
  const results: PaperResults = { claims: claimsOf(lineages), regime, precision, seconds, lineages };
  writeFileAtomically(join(folder, 'paper.json'), `${JSON.stringify(results)}\n`);
  writeFileAtomically(join(folder, 'report.html'), paperPage(results));
  return results;
}

/** Every forgetting method on the same seeds, each until the pattern has let go; or the signal that stopped it. */
export async function runMethods(regime: Regime, options: PaperOptions): Promise<MethodsResults | StopSignal> {
  const { folder, seeds } = options;
  const began = performance.now();
  const lineages = await lineagesOf(regime, options, 'methods');
  if (typeof lineages === 'string') return lineages;
  const seconds = (performance.now() - began) / 1000;
  const results: MethodsResults = { methods: methodResults(lineages, regime), seeds: [...seeds], seconds };
  writeFileAtomically(join(folder, 'methods.json'), `${JSON.stringify(results)}\n`);
  writeFileAtomically(join(folder, 'methods.html'), methodsPage(results));
  return results;
}
