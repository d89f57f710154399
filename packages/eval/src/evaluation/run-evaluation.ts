import { checkpointFolder, loadTokenizer, readOverlaps } from '@lethe/data-pipeline';
import { loadLlama } from '@lethe/model';
import { lockWithin, type Logger, whileLocked } from '@lethe/run';
import { type EvalTask, runTask } from '../benchmarks.js';
import { type JudgeRecipe, openJudge } from '../judge/judge-recipe.js';
import { checkpointFiles, type Evaluated, itemLog } from '../benchmark/evaluated.js';
import type { Evaluation } from './evaluation.js';
import { requireTaskFiles } from './require-task-files.js';

/** What is evaluated. */
export interface EvaluationPlan {
  model: string;
  tasks: EvalTask[];
  /** overlap.jsonl files or their folders. */
  overlap?: string[];
  /** Folder that keeps items as they are done, so that the evaluation can be interrupted; absent: none are kept. */
  items?: string;
  /** Run programs that the model writes even where there is no sandbox. */
  withoutSandbox?: boolean;
  /** Judges answers that no rule can check. */
  judge?: JudgeRecipe;
  /** Device and precision, for the record. */
  device?: string;
}

/**
 * Scores one model on every task of a recipe, on the current device.
 * @throws LockedError while another process works in the folder of items.
 */
export function runEvaluation(recipe: EvaluationPlan, logger: Logger): Promise<Evaluation> {
  if (recipe.items === undefined) return evaluate(recipe, logger);
  return whileLocked(lockWithin(recipe.items), () => evaluate(recipe, logger));
}

async function evaluate(recipe: EvaluationPlan, logger: Logger): Promise<Evaluation> {
  const { overlap = [], items, device } = recipe;
  requireTaskFiles(recipe.tasks);
  const judge = recipe.judge && openJudge(recipe.judge, items);
  const overlaps = overlap.length > 0 ? await readOverlaps(overlap) : undefined;
  const folder = await checkpointFolder(recipe.model, logger);
  const tokenizer = await loadTokenizer(folder, { onWarning: (warning) => logger.warn(warning) });
  const { model } = loadLlama(folder, { trainable: false });
  const checkpoint = items === undefined ? [] : checkpointFiles(folder);
  const place = items === undefined ? undefined : { folder: items, model: recipe.model, device };
  const onDamage = (warning: string): void => logger.warn(warning);
  const evaluated: Evaluated = {
    model,
    tokenizer,
    overlaps,
    known: new Map(),
    allowsUnsandboxed: recipe.withoutSandbox ?? false,
    answering: (task, questions) => ({
      ...(place && { log: { ...itemLog(place, task, { questions, checkpoint }), onDamage } }),
      onProgress: (done, total) => logger.progress(`${recipe.model}: ${task.name} ${done} of ${total}`),
    }),
    judging: (name) =>
      judge && {
        ...judge,
        onDamage,
        onProgress: (done, total) => logger.progress(`${recipe.model}: ${name} judged ${done} of ${total}`),
      },
    warn: (message) => logger.warn(message),
  };
  const tasks: Evaluation['tasks'] = [];
  for (const task of recipe.tasks) {
    logger.progress(`${recipe.model}: ${task.name}`);
    const results = await runTask(task, evaluated);
    if (overlaps && 'data' in task && !results.some((result) => 'overlap' in result)) {
      logger.warn(
        `${task.name}: ${overlap.join(', ')} did not look for ${task.data}; prepare with its files in filters.overlap.sets`,
      );
    }
    tasks.push(...results);
  }
  logger.endProgress();
  model.dispose();
  return { model: recipe.model, ...(device && { device }), tasks };
}
