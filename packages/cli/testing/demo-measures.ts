import type { Score } from '@lethe/eval';
import type { ModelMeasures } from '../src/demo/measure.js';
import { CHAT_MODELS, type DemoModel, MODELS } from '../src/demo/stages.js';

/** A score with its interval, in percent; the value lies in the middle. */
export const score = (low: number, high: number): Score => ({
  value: (low + high) / 200,
  low: low / 100,
  high: high / 100,
  n: 100,
});

/** What one model was measured to do, where a test says nothing else. */
export function modelMeasures(changes: Partial<ModelMeasures> = {}): ModelMeasures {
  const sample = [0, 2];
  return {
    perplexity: { natural: 100, synthetic: 10, instructions: 20 },
    logPerplexities: { natural: sample, synthetic: sample, instructions: sample },
    templateMass: { natural: 0.125, instructions: 0.25 },
    benchmark: { micro: score(20, 30) },
    ...changes,
  };
}

/** Instruction scores of a -chat model. */
export const chatMeasures = (hsr: Score): Partial<ModelMeasures> => ({
  instructions: { hsr, ssr: score(60, 70), byLevel: [], judged: [] },
});

/** Measures of every model of the demo, with changes of some. */
export function demoMeasures(
  changes: Partial<Record<DemoModel, Partial<ModelMeasures>>> = {},
): Record<DemoModel, ModelMeasures> {
  const chat = chatMeasures(score(40, 50));
  return Object.fromEntries([
    ...MODELS.map((name) => [name, modelMeasures(changes[name])]),
    ...CHAT_MODELS.map((name) => [name, modelMeasures({ ...chat, ...changes[name] })]),
  ]) as Record<DemoModel, ModelMeasures>;
}
