import { join } from 'node:path';
import { type TrainRecipe, trainRecipeSchema } from '@lethe/train';
import type { DemoSettings } from './settings.js';

/** Folders of prepared shards, `train/` and `heldout/` in each, and of the tokenizer. */
export interface DemoShards {
  natural: string;
  synthetic: string;
  instructions: string;
  tokenizer: string;
}

/** The models of the paper's lineage that the demo makes, in the order in which it makes them. */
export const MODELS = ['base', 'synth', 'unlearn', 'ga', 'refine'] as const;
export const CHAT_MODELS = ['base-chat', 'synth-chat', 'refine-chat', 'unlearn-chat'] as const;
export type DemoModel = (typeof MODELS)[number] | (typeof CHAT_MODELS)[number];

/** The recipe of each model, in order. `runs` is the folder that holds the demo's runs. */
export function demoRecipes(settings: DemoSettings, shards: DemoShards, runs: string): Record<DemoModel, TrainRecipe> {
  const train = (folder: string): string => join(folder, 'train');
  const natural = [{ shards: train(shards.natural) }];
  const modelOf = (name: string): { init: string } => ({ init: join(runs, name, 'model') });
  const { rows, rowLength, steps, lr, seed, syntheticShare } = settings;
  const common = { runs, seed, checkpoint: { every: 100, keep: 1 }, metrics: { termGradientsEvery: 50 } };
  const cosine = { kind: 'cosine', warmupSteps: 20, finalLr: lr.pretrain / 10 };
  const mixed = [
    { shards: train(shards.natural), proportion: 1 - syntheticShare },
    { shards: train(shards.synthetic), proportion: syntheticShare },
  ];
  const next = { rowLength, replay: natural };
  const parse = (recipe: unknown): TrainRecipe => trainRecipeSchema.parse(recipe);
  const unlearn = (name: string, method: string): TrainRecipe =>
    parse({
      ...common,
      name,
      stage: 'unlearn',
      model: modelOf('synth'),
      data: { ...next, forget: [{ shards: train(shards.synthetic) }] },
      batch: { replayRows: rows / 2, forgetRows: rows / 2 },
      objective: { method },
      optimizer: { lr: lr.unlearn, weightDecay: 0 },
      steps: steps.unlearn,
    });
  const chat = (from: string): TrainRecipe =>
    parse({
      ...common,
      name: `${from}-chat`,
      stage: 'finetune',
      model: modelOf(from),
      data: { rowLength, replay: [{ shards: train(shards.instructions) }] },
      batch: { replayRows: rows },
      optimizer: { lr: lr.finetune },
      schedule: { kind: 'cosine', warmupSteps: 10 },
      steps: steps.finetune,
    });
  return {
    base: parse({
      ...common,
      name: 'base',
      stage: 'pretrain',
      model: { config: { ...settings.model, maxPositions: 2 * rowLength }, tokenizer: shards.tokenizer },
      data: next,
      batch: { replayRows: rows },
      optimizer: { lr: lr.pretrain },
      schedule: cosine,
      steps: steps.pretrain,
    }),
    synth: parse({
      ...common,
      name: 'synth',
      stage: 'pretrain',
      model: modelOf('base'),
      data: { rowLength, replay: mixed },
      batch: { replayRows: rows },
      optimizer: { lr: lr.pretrain / 2 },
      schedule: cosine,
      steps: steps.synth,
    }),
    unlearn: unlearn('unlearn', 'complement'),
    ga: unlearn('ga', 'ga'),
    refine: parse({
      ...common,
      name: 'refine',
      stage: 'refine',
      model: modelOf('synth'),
      data: next,
      batch: { replayRows: rows },
      optimizer: { lr: lr.unlearn, weightDecay: 0 },
      steps: steps.refine,
    }),
    'base-chat': chat('base'),
    'synth-chat': chat('synth'),
    'refine-chat': chat('refine'),
    'unlearn-chat': chat('unlearn'),
  };
}
