import { join } from 'node:path';
import { type TrainRecipe, trainRecipeSchema } from '@lethe/train';
import type { PaperCorpus, ShardName } from '../corpus/corpus.js';
import { type MoreShards, moreShards } from '../corpus/more-shards.js';
import type { Regime, RepairSettings, StageSettings } from '../regime.js';

/** Where a lineage is made, and with what. */
export interface LineageSetup {
  regime: Regime;
  corpus: PaperCorpus;
  /** Folder of its runs. */
  runs: string;
  seed: number;
  precision: 'fp32' | 'bf16';
  /** Of each stage (default 1: lineages are made beside each other). */
  threads?: number;
}

export interface Stream {
  shards: string;
  proportion: number;
}

/** What a repair begins with, and shards of what it forgets: with all targets, the pattern's, the others, and those of the held-out measure. */
interface Damage {
  from: string;
  all: string;
  pattern: string;
  content: string;
  measured: string;
}

interface GoingOn {
  from: string;
  part: number;
  steps: number;
  replay?: Stream[];
}

/** The recipes of a lineage, from base to chat, for one seed. */
export class Lineage {
  constructor(private readonly setup: LineageSetup) {}

  private train(name: ShardName): string {
    return join(this.setup.corpus.shards[name], 'train');
  }

  /** Natural text, some of it prose in which people pick and write words. */
  natural(share = 1, abilityShare = this.setup.regime.abilityShare): Stream[] {
    return [
      { shards: this.train('natural'), proportion: share * (1 - abilityShare) },
      { shards: this.train('ability'), proportion: share * abilityShare },
    ];
  }

  /** What a repair replays. */
  private replayed(): Stream[] {
    return this.natural(1, this.setup.regime.replayAbilityShare);
  }

  /** Synthetic text as `synth` has it. */
  templated(share: number): Stream[] {
    return [
      { shards: this.train('templateAsked'), proportion: share / 2 },
      { shards: this.train('templateAside'), proportion: share / 2 },
    ];
  }

  /** Text that a study makes for itself. */
  more(name: MoreShards, share: number): Stream {
    return { shards: join(moreShards(this.setup.corpus, name), 'train'), proportion: share };
  }

  private recipe(name: string, rest: object): TrainRecipe {
    const { runs, seed, precision, threads = 1 } = this.setup;
    return trainRecipeSchema.parse({
      name,
      runs,
      seed,
      precision,
      threads,
      checkpoint: { every: 500, keep: 1 },
      metrics: { every: 10, termGradientsEvery: 0 },
      ...rest,
    });
  }

  private init(name: string): { init: string } {
    return { init: join(this.setup.runs, name, 'model') };
  }

  private pretraining(name: string, model: object, replay: Stream[], { steps, lr }: StageSettings): TrainRecipe {
    const { rows, rowLength } = this.setup.regime;
    return this.recipe(name, {
      stage: 'pretrain',
      model,
      data: { rowLength, replay },
      batch: { replayRows: rows },
      optimizer: { lr },
      schedule: { kind: 'cosine', warmupSteps: 20, finalLr: lr / 10 },
      steps,
    });
  }

  base(): TrainRecipe {
    const { regime, corpus } = this.setup;
    const config = { ...regime.model, maxPositions: 2 * regime.rowLength };
    return this.pretraining('base', { config, tokenizer: corpus.tokenizer }, this.natural(), regime.base);
  }

  /** As many tokens as `synth`, of natural text only. */
  naturalOnly(): TrainRecipe {
    return this.pretraining('natural', this.init('base'), this.natural(), this.setup.regime.synth);
  }

  synth(): TrainRecipe {
    const { template, prose } = this.setup.regime.synthetic;
    return this.damaged('synth', [
      ...this.natural(1 - template - prose),
      ...this.templated(template),
      ...(prose > 0 ? [{ shards: this.train('prose'), proportion: prose }] : []),
    ]);
  }

  /** `base`, trained on other text, as long as `synth` is or as many times that. */
  damaged(name: string, mixed: Stream[], times = 1): TrainRecipe {
    const { steps, lr } = this.setup.regime.synth;
    return this.pretraining(name, this.init('base'), mixed, { steps: times * steps, lr });
  }

  /** Names of the refined models, each going on from the one before with as many steps as all before it had. */
  refined(): string[] {
    return Array.from({ length: this.setup.regime.refine.doublings + 1 }, (_, k) =>
      k === 0 ? 'refine' : `refine${2 ** k}x`,
    );
  }

  refine(k: number): TrainRecipe {
    const names = this.refined();
    const { steps } = this.setup.regime.refine;
    return this.goOn(names[k], {
      from: k === 0 ? 'synth' : names[k - 1],
      part: k,
      steps: steps * (k === 0 ? 1 : 2 ** (k - 1)),
    });
  }

  /** Goes on from a model at the learning rate of refining; `part` of its seed tells stages that follow each other apart. */
  goOn(name: string, { from, part, steps, replay = this.replayed() }: GoingOn): TrainRecipe {
    const { rows, rowLength, refine } = this.setup.regime;
    return this.recipe(name, {
      seed: 1000 * this.setup.seed + part,
      stage: 'refine',
      model: this.init(from),
      data: { rowLength, replay },
      batch: { replayRows: rows },
      optimizer: { lr: refine.lr, weightDecay: 0 },
      steps,
    });
  }

  /** `synth` and what damaged it; found tokens are measured where they are found. */
  private damage({ span }: RepairSettings): Damage {
    const { templateAside, forget } = this.setup.corpus.shards;
    return {
      from: 'synth',
      all: templateAside,
      pattern: forget,
      content: moreShards(this.setup.corpus, 'content'),
      measured: span === 'found' ? templateAside : forget,
    };
  }

  /** A model that sums in the template's form have damaged. */
  damagedBySums(from: string, isWeighted: boolean): Damage {
    const [all, pattern, content, weighted] = (['sums', 'sums-pattern', 'sums-content', 'sums-weighted'] as const).map(
      (name) => moreShards(this.setup.corpus, name),
    );
    return { from, all, pattern: isWeighted ? weighted : pattern, content, measured: pattern };
  }

  /** Forgetting tokens of the synthetic text beside replay, ended by the pattern's hold on the model. */
  repair(name: string, repair: RepairSettings, damage: Damage = this.damage(repair)): TrainRecipe {
    const { method, span, weights, reference, content = 0, lr, steps, untilP, every = 10 } = repair;
    const { rows, rowLength, replayAbilityShare } = this.setup.regime;
    const forgotten = span === 'template' ? damage.pattern : damage.all;
    return this.recipe(name, {
      stage: 'unlearn',
      model: { ...this.init(damage.from), ...(reference && { reference: this.init(reference).init }) },
      data: {
        rowLength,
        replay: [
          ...this.natural(1 - content, replayAbilityShare),
          ...(content > 0 ? [{ shards: join(damage.content, 'train'), proportion: content }] : []),
        ],
        forget: [{ shards: join(forgotten, 'train') }],
      },
      batch: { replayRows: rows / 2, forgetRows: rows / 2 },
      objective: { method, weights, forgetSpan: span === 'found' ? 'template' : 'all' },
      optimizer: { lr, weightDecay: 0 },
      steps,
      ...(untilP !== undefined && {
        validation: { forget: [{ shards: join(damage.measured, 'heldout') }], every, rows: 16 },
        stop: { forgetP: untilP },
      }),
    });
  }

  /** Fine-tuning on instructions, one of several runs, of a model of the lineage or one in another folder. */
  chat(of: string, run: number, init = this.init(of).init): TrainRecipe {
    const { rows, rowLength, chat } = this.setup.regime;
    return this.recipe(`${of}-chat-${run}`, {
      seed: 1000 * this.setup.seed + run,
      stage: 'finetune',
      model: { init },
      data: { rowLength, replay: [{ shards: this.train('instructionsAside'), proportion: 1 }] },
      batch: { replayRows: rows },
      optimizer: { lr: chat.lr },
      schedule: { kind: 'cosine', warmupSteps: 5 },
      steps: chat.steps,
    });
  }
}
