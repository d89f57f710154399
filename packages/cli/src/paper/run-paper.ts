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

/** What a plan's lineages come to, and the seconds they took, written as numbers and as a page; or the signal that stopped it. */
async function reported<T>(
  regime: Regime,
  options: PaperOptions,
  { plan, files, make, page }: Report<T>,
): Promise<T | StopSignal> {
  const began = performance.now();
  const lineages = await lineagesOf(regime, options, plan);
  if (typeof lineages === 'string') return lineages;
  const results = make(lineages, (performance.now() - began) / 1000);
  writeFileAtomically(join(options.folder, files.numbers), `${JSON.stringify(results)}\n`);
  writeFileAtomically(join(options.folder, files.page), page(results));
  return results;
}

interface Report<T> {
  plan: LineageTask['plan'];
  files: { numbers: string; page: string };
  make: (lineages: LineageMeasures[], seconds: number) => T;
  page: (results: T) => string;
}

/** The paper's lineage for every seed, and what it says of each claim. */
export const runPaper = (regime: Regime, options: PaperOptions): Promise<PaperResults | StopSignal> =>
  reported<PaperResults>(regime, options, {
    plan: 'claims',
    files: { numbers: 'paper.json', page: 'report.html' },
    make: (lineages, seconds) => ({
      claims: claimsOf(lineages),
      regime,
      precision: options.precision,
      seconds,
      lineages,
    }),
    page: paperPage,
  });

/** Every forgetting method on the same seeds, each until the pattern has let go. */
export const runMethods = (regime: Regime, options: PaperOptions): Promise<MethodsResults | StopSignal> =>
  reported<MethodsResults>(regime, options, {
    plan: 'methods',
    files: { numbers: 'methods.json', page: 'methods.html' },
    make: (lineages, seconds) => ({ methods: methodResults(lineages, regime), seeds: [...options.seeds], seconds }),
    page: methodsPage,
  });
