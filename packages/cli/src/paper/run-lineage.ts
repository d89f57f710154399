import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Logger, type StopRequest, type StopSignal } from '@lethe/run';
import { runStage, type TrainRecipe } from '@lethe/train';
import { Lineage, type LineageSetup } from './lineage.js';
import type { PaperMeasures, PaperMeasuring } from './measure-model.js';

/** The measures of every model of a lineage; of -chat models those of each fine-tuning run. */
export interface LineageMeasures {
  seed: number;
  models: Record<string, PaperMeasures>;
  chats: Record<string, PaperMeasures[]>;
}

/** Trains and measures a lineage; what was finished before is not done again. */
export async function runLineage(
  setup: LineageSetup,
  measuring: PaperMeasuring,
  { logger, stop, withChat }: { logger: Logger; stop: StopRequest; withChat: (name: string) => boolean },
): Promise<LineageMeasures | StopSignal> {
  const { regime, runs, seed } = setup;
  mkdirSync(runs, { recursive: true });
  const lineage = new Lineage(setup);
  const measures: LineageMeasures = { seed, models: {}, chats: {} };
  const one = async (recipe: TrainRecipe, isChat: boolean): Promise<PaperMeasures | StopSignal> => {
    const { stoppedBy } = await runStage(recipe, { logger, stop });
    if (stoppedBy) return stoppedBy;
    const folder = join(runs, recipe.name);
    return measuring.measure(join(folder, 'model'), join(folder, 'measures.json'), isChat);
  };
  const recipes = [
    lineage.base(),
    lineage.naturalOnly(),
    lineage.synth(),
    lineage.refine(),
    ...Object.entries(regime.repairs).map(([name, settings]) => lineage.repair(name, settings)),
  ];
  for (const recipe of recipes) {
    const found = await one(recipe, false);
    if (typeof found === 'string') return found;
    measures.models[recipe.name] = found;
    if (!withChat(recipe.name)) continue;
    const chats: PaperMeasures[] = [];
    for (let run = 0; run < regime.chat.runs; run++) {
      const chat = await one(lineage.chat(recipe.name, run), true);
      if (typeof chat === 'string') return chat;
      chats.push(chat);
    }
    measures.chats[recipe.name] = chats;
  }
  return measures;
}
