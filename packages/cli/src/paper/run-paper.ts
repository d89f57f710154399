import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Logger, type StopRequest, type StopSignal, writeFileAtomically } from '@lethe/run';
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
  /** The seeds on which the regime was chosen, which are never reported. */
  chosen: string;
  precision: string;
  seconds: number;
  lineages: LineageMeasures[];
}

/** Where it writes, on which seeds, and whom it tells. */
export interface PaperOptions {
  folder: string;
  seeds: readonly number[];
  precision: 'fp32' | 'bf16';
  chosen: string;
  logger: Logger;
  stop: StopRequest;
}

/** The models that are fine-tuned: those that a claim about instructions compares. */
const CHAT_MODELS = new Set(['base', 'synth', 'refine', 'control', 'template', 'all']);

/**
 * The paper's lineage for every seed, and what it says of each claim. Finished models and measures are not made again, so
 * an interrupted run goes on where it stopped.
 * @returns the results, or the signal that stopped it.
 */
export async function runPaper(regime: Regime, options: PaperOptions): Promise<PaperResults | StopSignal> {
  const { folder, seeds, precision, logger, stop, chosen } = options;
  const began = performance.now();
  mkdirSync(folder, { recursive: true });
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
  const results: PaperResults = { claims, regime, chosen, precision, seconds, lineages };
  writeFileAtomically(join(folder, 'paper.json'), `${JSON.stringify(results)}\n`);
  writeFileAtomically(join(folder, 'report.html'), paperPage(results));
  return results;
}
