import { join } from 'node:path';
import { type Logger, type StopRequest, type StopSignal, writeFileAtomically } from '@lethe/run';
import { useDevice } from '@lethe/tensor';
import { runStage, type TrainRecipe } from '@lethe/train';
import { recordedVersions } from '../command-line/recorded-versions.js';
import { makeCorpus } from '../paper/corpus/corpus.js';
import { writeOrdinaryText } from '../paper/corpus/ordinary-text.js';
import { Lineage, type LineageSetup } from '../paper/lineage/lineage.js';
import { type PaperMeasures, PaperMeasuring } from '../paper/measures/measure-model.js';
import type { Regime } from '../paper/regime.js';
import { byFact } from '../paper/studies/knowledge.js';
import type { RepairResults } from '../repair/results.js';
import { type RepairedModels, runRepair } from '../repair/run-repair.js';
import {
  DEMO_MODELS,
  type DemoMeasures,
  type DemoModel,
  type Following,
  followingHtml,
  followingMarkdown,
  followingOf,
} from './following.js';

/** Where a demo works, on what, and whom it tells. */
export interface DemoOptions {
  folder: string;
  regime: Regime;
  /** A short one: its repair has few steps, and is made whatever the verdict. */
  isQuick: boolean;
  precision: 'fp32' | 'bf16';
  threads: number;
  logger: Logger;
  stop: StopRequest;
  signal: AbortSignal;
}

/** `demo.json`: the repair, as `repair.json` has it, and what came back; nothing of the latter where nothing was trained. */
export interface DemoResults {
  repair: RepairResults;
  following: Following | null;
  /** Of the last command. */
  seconds: number;
}

/** Of none that chose the regime, and of none that is reported of it. */
const SEED = 5001;
const QUICK_TOKENS = 60_000;

/**
 * Makes a model, damages it with templated questions, and repairs it as `lethe repair` does a user's. Finished parts are not
 * done again, so an interrupted demo goes on where it stopped.
 * @returns the results, or the signal that stopped it.
 */
export async function runDemo(options: DemoOptions): Promise<DemoResults | StopSignal> {
  const began = performance.now();
  const { folder, regime, isQuick, precision, threads, logger, stop, signal } = options;
  await useDevice('lethe-cpu', precision);
  logger.info('writing natural text, synthetic text and instructions');
  const corpus = await makeCorpus(join(folder, 'corpus'), regime, logger);
  const setup: LineageSetup = { regime, corpus, runs: join(folder, 'models'), seed: SEED, precision, threads };
  const demo = new Demo(setup, options);
  const stoppedBy = await demo.damage();
  if (stoppedBy) return stoppedBy;
  const ordinary = writeOrdinaryText(join(folder, 'ordinary.jsonl'), join(folder, 'corpus'), regime);
  let following: Following | null = null;
  const repair = await runRepair(
    {
      model: demo.modelOf('synth'),
      base: demo.modelOf('base'),
      synthetic: [join(folder, 'corpus', 'templateAside.jsonl')], // As in lethe paper: not the documents about the facts that are asked.
      natural: [ordinary],
      instructions: [],
      budget: isQuick ? { tokens: QUICK_TOKENS } : {},
      out: join(folder, 'repair'),
      anyway: isQuick,
      device: 'lethe-cpu',
      precision,
      threads,
    },
    {
      logger,
      stop,
      signal,
      more: async (models) => {
        const found = await demo.measureAll(models);
        if (typeof found === 'string') return found;
        following = followingOf(found, byFact(regime));
        return { html: followingHtml(following), markdown: followingMarkdown(following) };
      },
    },
  );
  if (typeof repair === 'string') return repair;
  const results = { repair, following, seconds: (performance.now() - began) / 1000 };
  writeFileAtomically(join(folder, 'demo.json'), `${JSON.stringify(results, null, 1)}\n`);
  return results;
}

/** The models around the repair: what is damaged before it, and what is fine-tuned after it. */
class Demo {
  private readonly lineage: Lineage;

  constructor(
    private readonly setup: LineageSetup,
    private readonly options: Pick<DemoOptions, 'logger' | 'stop'>,
  ) {
    this.lineage = new Lineage(setup);
  }

  /** Trains a model, and damages it. */
  async damage(): Promise<StopSignal | undefined> {
    for (const [recipe, told] of [
      [this.lineage.base(), 'training a model on natural text'],
      [this.lineage.synth(), 'training it on, half of the text templated questions and answers'],
    ] as const) {
      this.options.logger.info(`${told}: ${recipe.steps} steps`);
      const stoppedBy = await this.train(recipe);
      if (stoppedBy) return stoppedBy;
    }
    return undefined;
  }

  modelOf(name: string): string {
    return join(this.setup.runs, name, 'model');
  }

  private async train(recipe: TrainRecipe): Promise<StopSignal | undefined> {
    const { logger, stop } = this.options;
    const { stoppedBy } = await runStage(recipe, {
      logger,
      stop,
      versions: recordedVersions(),
      command: ['lethe', 'demo'],
    });
    return stoppedBy;
  }

  /** Fine-tunes all four models on instructions, and measures what they do. */
  async measureAll({ end, control }: RepairedModels): Promise<Record<DemoModel, DemoMeasures> | StopSignal> {
    const { logger } = this.options;
    const measuring = await PaperMeasuring.open(this.setup.regime, this.setup.corpus);
    const folders = { base: this.modelOf('base'), damaged: this.modelOf('synth'), control, repaired: end };
    const measures: Partial<Record<DemoModel, DemoMeasures>> = {};
    for (const model of DEMO_MODELS) {
      logger.info(`${model}: fine-tuning on instructions, and answering others`);
      const own = await this.measured(measuring, { name: model, folder: folders[model], isChat: false });
      const chats: PaperMeasures[] = [];
      for (let run = 0; run < this.setup.regime.chat.runs; run++) {
        const recipe = this.lineage.chat(model, run, folders[model]);
        const stoppedBy = await this.train(recipe);
        if (stoppedBy) return stoppedBy;
        chats.push(
          await this.measured(measuring, { name: recipe.name, folder: this.modelOf(recipe.name), isChat: true }),
        );
      }
      measures[model] = { own, chats };
    }
    return measures as Record<DemoModel, DemoMeasures>;
  }

  private measured(
    measuring: PaperMeasuring,
    { name, folder, isChat }: { name: string; folder: string; isChat: boolean },
  ): Promise<PaperMeasures> {
    return measuring.measure(folder, join(this.setup.runs, `${name}.json`), isChat);
  }
}
