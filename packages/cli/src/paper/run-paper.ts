import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Logger, type StopRequest, type StopSignal, UserError, writeFileAtomically } from '@lethe/run';
import { type Claim, claimsOf } from './claims.js';
import { makeCorpus } from './corpus.js';
import { PaperMeasuring } from './measure-model.js';
import { paperPage } from './page.js';
import type { Regime } from './regime.js';
import { type LineageMeasures, runLineage } from './run-lineage.js';

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
  precision: 'fp32' | 'bf16';
  logger: Logger;
  stop: StopRequest;
}

/** The models that are fine-tuned: those that a claim about instructions compares. */
const CHAT_MODELS = new Set(['base', 'synth', 'refine', 'control', 'template', 'all']);

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
  const { folder, seeds, precision, logger, stop } = options;
  const began = performance.now();
  takeFolder(folder, { regime, precision });
  const corpus = await makeCorpus(join(folder, 'corpus'), regime, logger);
  const measuring = await PaperMeasuring.open(regime, corpus);
  const lineages: LineageMeasures[] = [];
  for (const [i, seed] of seeds.entries()) {
    logger.info(`[${i + 1}/${seeds.length}] seed ${seed}`);
    const setup = { regime, corpus, runs: join(folder, `seed-${seed}`), seed, precision };
    const withChat = (name: string): boolean => CHAT_MODELS.has(name);
    const measures = await runLineage(setup, measuring, { logger, stop, withChat });
    if (typeof measures === 'string') return measures;
    lineages.push(measures);
  }
  const claims = claimsOf(lineages);
  const seconds = (performance.now() - began) / 1000;
  const results: PaperResults = { claims, regime, precision, seconds, lineages };
  writeFileAtomically(join(folder, 'paper.json'), `${JSON.stringify(results)}\n`);
  writeFileAtomically(join(folder, 'report.html'), paperPage(results));
  return results;
}
