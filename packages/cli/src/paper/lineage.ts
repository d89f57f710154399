import { join } from 'node:path';
import { type TrainRecipe, trainRecipeSchema } from '@lethe/train';
import type { PaperCorpus, ShardName } from './corpus.js';
import type { Regime, RepairSettings } from './regime.js';

/** Where a lineage is made, and with what. */
export interface LineageSetup {
  regime: Regime;
  corpus: PaperCorpus;
  /** Folder of its runs. */
  runs: string;
  seed: number;
  precision: 'fp32' | 'bf16';
}

interface Stream {
  shards: string;
  proportion: number;
}

/** The recipes of a lineage, from base to chat, for one seed. */
export class Lineage {
  constructor(private readonly setup: LineageSetup) {}

  private train(name: ShardName): string {
    return join(this.setup.corpus.shards[name], 'train');
  }

  private natural(share = 1): Stream[] {
    const { abilityShare } = this.setup.regime;
    return [
      { shards: this.train('natural'), proportion: share * (1 - abilityShare) },
      { shards: this.train('ability'), proportion: share * abilityShare },
    ];
  }

  private recipe(name: string, rest: object): TrainRecipe {
    const { runs, seed, precision } = this.setup;
    return trainRecipeSchema.parse({
      name,
      runs,
      seed,
      precision,
      threads: 1,
      checkpoint: { every: 500, keep: 1 },
      metrics: { every: 10, termGradientsEvery: 0 },
      ...rest,
    });
  }

  private init(name: string): { init: string } {
    return { init: join(this.setup.runs, name, 'model') };
  }

  private pretraining(name: string, model: object, replay: Stream[], { steps, lr }: { steps: number; lr: number }) {
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
    const mixed = [
      ...this.natural(1 - template - prose),
      { shards: this.train('templateAsked'), proportion: template / 2 },
      { shards: this.train('templateAside'), proportion: template / 2 },
      ...(prose > 0 ? [{ shards: this.train('prose'), proportion: prose }] : []),
    ];
    return this.pretraining('synth', this.init('base'), mixed, this.setup.regime.synth);
  }

  refine(): TrainRecipe {
    const { rows, rowLength, refine } = this.setup.regime;
    return this.recipe('refine', {
      stage: 'refine',
      model: this.init('synth'),
      data: { rowLength, replay: this.natural() },
      batch: { replayRows: rows },
      optimizer: { lr: refine.lr, weightDecay: 0 },
      steps: refine.steps,
    });
  }

  repair(name: string, { method, span, weights, lr, steps, untilP }: RepairSettings): TrainRecipe {
    const { rows, rowLength } = this.setup.regime;
    const forget = this.setup.corpus.shards.forget;
    return this.recipe(name, {
      stage: 'unlearn',
      model: this.init('synth'),
      data: {
        rowLength,
        replay: this.natural(),
        forget: [{ shards: span === 'template' ? join(forget, 'train') : this.train('templateAside') }],
      },
      batch: { replayRows: rows / 2, forgetRows: rows / 2 },
      objective: { method, weights },
      optimizer: { lr, weightDecay: 0 },
      steps,
      ...(untilP !== undefined && {
        validation: { forget: [{ shards: join(forget, 'heldout') }], every: 10, rows: 16 },
        stop: { forgetP: untilP },
      }),
    });
  }

  /** Fine-tuning on instructions, one of several runs. */
  chat(of: string, run: number): TrainRecipe {
    const { rows, rowLength, chat } = this.setup.regime;
    return this.recipe(`${of}-chat-${run}`, {
      seed: 1000 * this.setup.seed + run,
      stage: 'finetune',
      model: this.init(of),
      data: { rowLength, replay: [{ shards: this.train('instructions'), proportion: 1 }] },
      batch: { replayRows: rows },
      optimizer: { lr: chat.lr },
      schedule: { kind: 'cosine', warmupSteps: 5 },
      steps: chat.steps,
    });
  }
}
