import {
  compareEvaluations,
  type Evaluation,
  evalRecipeSchema,
  type EvalTask,
  type ModelComparison,
  runEvaluation,
} from '@lethe/eval';
import { loadRecipe, type Logger } from '@lethe/run';
import type { Evidence } from './results.js';

/** What models are scored on: the tasks of an evaluation recipe, and instructions that rules check. */
export interface Benchmarks {
  recipe?: string;
  instructions: string[];
}

/** Points of a benchmark that a repair may lose. */
const MOST_LOSS = 0.05;

/** The tasks, and where their judge is. @throws UserError naming the key of the recipe that is wrong. */
export function readBenchmarks({ recipe: file, instructions }: Benchmarks) {
  const recipe = file === undefined ? undefined : loadRecipe(file, evalRecipeSchema, { set: [] }).recipe;
  const asked = instructions.map((data): EvalTask => ({
    kind: 'instructions',
    name: instructions.length === 1 ? 'instructions' : `instructions ${data}`,
    data,
    maxNewTokens: 64,
  }));
  return { tasks: [...(recipe?.tasks ?? []), ...asked], overlap: recipe?.overlap, judge: recipe?.judge };
}

/** Scores one model; items that were answered before an interruption are not asked again. */
export function scoreModel(
  benchmarks: ReturnType<typeof readBenchmarks>,
  { model, items, device }: { model: string; items: string; device: string },
  logger: Logger,
): Promise<Evaluation> {
  return runEvaluation({ ...benchmarks, model, items, device }, logger);
}

/** The model before and the repaired one, item by item. */
export const compareModels = (before: Evaluation, after: Evaluation): ModelComparison =>
  compareEvaluations([before, after])[0];

/** Whether each benchmark is kept, within a few points. */
export function benchmarkEvidence({ benchmarks }: ModelComparison): Evidence[] {
  return benchmarks.map(({ name, difference: { value, low, high } }) => ({
    name,
    question: `Is the score of ${name} kept?`,
    measure: 'score after the repair less that before',
    found: { value, low, high },
    threshold: -MOST_LOSS,
    says: low >= -MOST_LOSS ? 'yes' : high < -MOST_LOSS ? 'no' : 'open',
  }));
}
