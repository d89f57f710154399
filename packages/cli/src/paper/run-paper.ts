import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  lockWithin,
  type Logger,
  silentLogger,
  type StopRequest,
  type StopSignal,
  UserError,
  whileLocked,
  writeFileAtomically,
} from '@lethe/run';
import type { LineageMeasures } from './lineage/run-lineage.js';
import { makeLineage, makeLineages, makeTexts } from './make-lineages.js';
import type { Regime } from './regime.js';
import { studyOf, type StudyName } from './studies/studies.js';
import type { StudyReport } from './studies/study.js';

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
  if (!existsSync(file)) writeFileAtomically(file, text);
  else if (readFileSync(file, 'utf8') !== text)
    throw new UserError(
      `${folder}: its models are of another regime or precision (${file}); give another folder with --out, or delete this one`,
    );
}

/** The lineages of all seeds. Finished models and measures are not made again: an interrupted run goes on where it stopped. */
async function lineagesOf(
  study: StudyName,
  regime: Regime,
  { folder, seeds, jobs, precision, logger, stop }: PaperOptions,
): Promise<LineageMeasures[] | StopSignal> {
  takeFolder(folder, { regime, precision });
  await makeTexts({ folder, regime, study }, logger);
  const tasks = seeds.map((seed) => ({ folder, seed, regime, precision, study }));
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

/**
 * Makes the models of a study for every seed, and writes what it says of them; or the signal that stopped it.
 * @throws LockedError while another process works in the folder.
 */
export const runStudy = (study: StudyName, regime: Regime, options: PaperOptions): Promise<StudyReport | StopSignal> =>
  whileLocked(lockWithin(options.folder), () => runLocked(study, regime, options));

async function runLocked(study: StudyName, regime: Regime, options: PaperOptions): Promise<StudyReport | StopSignal> {
  const began = performance.now();
  const lineages = await lineagesOf(study, regime, options);
  if (typeof lineages === 'string') return lineages;
  const { files, report } = studyOf(study);
  const seconds = (performance.now() - began) / 1000;
  const made = report({ lineages, regime, precision: options.precision, seconds });
  writeFileAtomically(join(options.folder, files.numbers), `${JSON.stringify(made.numbers)}\n`);
  writeFileAtomically(join(options.folder, files.page), made.page);
  return made;
}
