import { join } from 'node:path';
import { type Logger, makeFolder, type StopRequest, type StopSignal } from '@lethe/run';
import { runStage, type TrainRecipe } from '@lethe/train';
import { Lineage, type LineageSetup } from './lineage.js';
import type { PaperMeasures, PaperMeasuring } from '../measures/measure-model.js';
import { measureTexts, type TextMeasures } from '../measures/measure-texts.js';

/** The measures of every model of a lineage; of -chat models those of each fine-tuning run. */
export interface LineageMeasures {
  seed: number;
  texts: TextMeasures;
  models: Record<string, PaperMeasures>;
  chats: Record<string, PaperMeasures[]>;
  /** What the study measured beyond that, by model. */
  more?: Record<string, unknown>;
  /** Steps that each model was trained for in its own stage, all of as many tokens. */
  steps: Record<string, number>;
  /** Models refined on natural text, with their steps since `synth`, the fewest first. */
  refined: { name: string; steps: number }[];
}

interface LineageOptions {
  logger: Logger;
  stop: StopRequest;
  recipes: (lineage: Lineage) => TrainRecipe[];
  /** Fine-tuning runs of a model. */
  chatRuns: (name: string) => number;
  onModel: (name: string) => void;
  /** Measures more of the model in a folder; `file` keeps it. */
  more?: { name: string; measure: (model: string, file: string) => Promise<unknown> };
}

/** Trains and measures a lineage; what was finished before is not done again. */
export async function runLineage(
  setup: LineageSetup,
  measuring: PaperMeasuring,
  { logger, stop, recipes, chatRuns, onModel, more }: LineageOptions,
): Promise<LineageMeasures | StopSignal> {
  const { runs, seed } = setup;
  makeFolder(runs);
  const lineage = new Lineage(setup);
  const model = (name: string): string => join(runs, name, 'model');
  const measures: Omit<LineageMeasures, 'texts'> = { seed, models: {}, chats: {}, steps: {}, refined: [] };
  const one = async (recipe: TrainRecipe, isChat: boolean): Promise<PaperMeasures | StopSignal> => {
    const { stoppedBy, step } = await runStage(recipe, { logger, stop, isCompared: true });
    if (stoppedBy) return stoppedBy;
    measures.steps[recipe.name] = step;
    return measuring.measure(model(recipe.name), join(runs, recipe.name, 'measures.json'), isChat);
  };
  for (const recipe of recipes(lineage)) {
    const found = await one(recipe, false);
    if (typeof found === 'string') return found;
    measures.models[recipe.name] = found;
    if (more) {
      const file = join(runs, recipe.name, `${more.name}.json`);
      (measures.more ??= {})[recipe.name] = await more.measure(model(recipe.name), file);
    }
    onModel(recipe.name);
    for (let run = 0; run < chatRuns(recipe.name); run++) {
      const chat = await one(lineage.chat(recipe.name, run), true);
      if (typeof chat === 'string') return chat;
      (measures.chats[recipe.name] ??= []).push(chat);
      onModel(`${recipe.name}-chat ${run + 1}`);
    }
  }
  let steps = 0;
  for (const name of lineage.refined().filter((made) => measures.models[made]))
    measures.refined.push({ name, steps: (steps += measures.steps[name]) });
  return { ...measures, texts: await measureTexts(setup, model('base'), join(runs, 'texts.json')) };
}
