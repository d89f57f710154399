import { mkdirSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import {
  formatDuration,
  gitRevision,
  type Logger,
  type StopRequest,
  type StopSignal,
  writeFileAtomically,
} from '@lethe/run';
import { runStage, type TrainRecipe } from '@lethe/train';
import { recordedVersions } from '../command-line/recorded-versions.js';
import { prepareRecipeSchema } from '../preparation/prepare-recipe.js';
import { runPrepare } from '../preparation/run-prepare.js';
import { demoReport } from './demo-report.js';
import type { DemoResults } from './demo-results.js';
import { Measuring, type ModelMeasures, shiftsAgainst } from './measure.js';
import type { DemoSettings } from './settings.js';
import { CHAT_MODELS, type DemoModel, demoRecipes, type DemoShards, MODELS } from './stages.js';
import { verdicts } from './verdict.js';
import { type DemoCorpus, writeCorpus } from './write-corpus.js';

/** Where the demo writes and whom it tells. */
export interface DemoOptions {
  runs: string;
  logger: Logger;
  stop: StopRequest;
}

/** Tells which part is running and how long the rest will take, from the tokens done so far. */
class Agenda {
  private readonly started = performance.now();
  private done = 0;
  private count = 0;

  constructor(
    private readonly parts: { name: string; cost: number }[],
    private readonly logger: Logger,
  ) {}

  begin(name: string): void {
    const seconds = (performance.now() - this.started) / 1000;
    const total = this.parts.reduce((sum, { cost }) => sum + cost, 0);
    const left = this.done > 0 ? `, about ${formatDuration((seconds * (total - this.done)) / this.done)} left` : '';
    this.count++;
    this.logger.info(`[${this.count}/${this.parts.length}] ${name}${left}`);
    this.done += this.parts.find((part) => part.name === name)!.cost;
  }

  get seconds(): number {
    return (performance.now() - this.started) / 1000;
  }
}

const MODEL_NAMES: DemoModel[] = [...MODELS, ...CHAT_MODELS];

/** Work of a stage in policy tokens; the frozen original adds a third of its replay rows. */
function costOf({ batch, data, steps, stage }: TrainRecipe): number {
  return steps * data.rowLength * (batch.forgetRows + batch.replayRows * (stage === 'unlearn' ? 1.35 : 1));
}

async function prepareCorpus(
  folder: string,
  corpus: DemoCorpus,
  settings: DemoSettings,
  logger: Logger,
): Promise<DemoShards> {
  const out = (name: string): string => join(folder, 'shards', name);
  const { natural, synthetic, instructions } = corpus;
  const prepareOne = async (name: string, sources: string[], rest: object): Promise<void> => {
    const recipe = prepareRecipeSchema.parse({ sources, out: out(name), heldOut: 0.05, seed: settings.seed, ...rest });
    await runPrepare(recipe, { logger });
  };
  const train = { train: { vocabSize: settings.vocabSize } };
  await prepareOne('all', [natural, synthetic, instructions], { tokenizer: train, heldOut: 0 });
  const tokenizer = join(out('all'), 'trained-tokenizer');
  await prepareOne('natural', [natural], { tokenizer });
  await prepareOne('synthetic', [synthetic], { tokenizer });
  await prepareOne('instructions', [instructions], { tokenizer, as: 'chat' });
  return { natural: out('natural'), synthetic: out('synthetic'), instructions: out('instructions'), tokenizer };
}

/**
 * The paper's whole loop on the embedded corpus: prepare, train the lineage, measure, report. Finished parts are not done
 * again, so an interrupted demo goes on where it stopped.
 * @returns the results, or the signal that stopped it.
 */
export async function runDemo(settings: DemoSettings, options: DemoOptions): Promise<DemoResults | StopSignal> {
  const { logger, stop } = options;
  const folder = join(options.runs, settings.name);
  mkdirSync(folder, { recursive: true });
  const placeholder = { natural: '', synthetic: '', instructions: '', tokenizer: '' };
  const planned = demoRecipes(settings, placeholder, folder);
  const trainCost = MODEL_NAMES.map((name) => ({ name: `train ${name}`, cost: costOf(planned[name]) }));
  const whole = trainCost.reduce((sum, { cost }) => sum + cost, 0);
  const agenda = new Agenda(
    [{ name: 'prepare', cost: 0.06 * whole }, ...trainCost, { name: 'measure', cost: 0.12 * whole }],
    logger,
  );

  agenda.begin('prepare');
  const corpus = writeCorpus(join(folder, 'corpus'), settings);
  const shards = await prepareCorpus(folder, corpus, settings, logger);
  const recipes = demoRecipes(settings, shards, folder);
  for (const name of MODEL_NAMES) {
    if (stop.requested) return stop.requested;
    agenda.begin(`train ${name}`);
    const { stoppedBy } = await runStage(recipes[name], {
      logger,
      stop,
      versions: recordedVersions(),
      command: ['lethe', 'demo'],
    });
    if (stoppedBy) return stoppedBy;
  }
  agenda.begin('measure');
  const measuring = await Measuring.open(settings, corpus, shards);
  const measures: Partial<Record<DemoModel, ModelMeasures>> = {};
  for (const name of MODEL_NAMES) {
    if (stop.requested) return stop.requested;
    logger.progress(`measuring ${name}`);
    measures[name] = await measuring.measure(join(folder, name, 'model'), name.endsWith('-chat'));
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  logger.endProgress();
  const results = collect(settings, measures as Record<DemoModel, ModelMeasures>, measuring, agenda.seconds);
  writeFileAtomically(join(folder, 'results.json'), `${JSON.stringify(results, null, 1)}\n`);
  writeFileAtomically(join(folder, 'report.html'), demoReport(results));
  return results;
}

function collect(
  settings: DemoSettings,
  measures: Record<DemoModel, ModelMeasures>,
  measuring: Measuring,
  seconds: number,
): DemoResults {
  const models = Object.fromEntries(
    MODEL_NAMES.map((name) => [
      name,
      { ...measures[name], shiftAgainstBase: shiftsAgainst(measures[name], measures.base) },
    ]),
  ) as DemoResults['models'];
  return {
    settings,
    machine: { cpu: cpus()[0]?.model.trim() ?? 'unknown', cores: cpus().length },
    git: gitRevision(process.cwd()),
    versions: { node: process.versions.node, ...recordedVersions() },
    seconds,
    numDocuments: measuring.numDocuments,
    templateTokens: measuring.template,
    models,
    verdicts: verdicts(measures),
  };
}
