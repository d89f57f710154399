import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { checkpointPath, UserError, writeFolderAtomically } from '@lethe/run';
import { type Llama, saveLlama, type SaveOptions } from '@lethe/model';
import type { TrainRecipe } from './recipe.js';
import { requireNotPast } from './recipe-hash.js';
import { stageFolders } from './stage-folder.js';
import type { StageRun } from './stage-run.js';
import { decide, type StopDecision, type ValidationPoint } from './stop-rules.js';
import type { TrainingEnd } from './trainer.js';

/**
 * How a run ended before; undefined where it goes on, or begins.
 * @throws UserError when `steps` or the rules of `stop` have changed such that the run is past the end that they would have made.
 */
export function endOf({ recipe, folder, model, resumed }: StageRun): TrainingEnd | undefined {
  if (!resumed) return undefined;
  const { step, validations = [] } = resumed.state;
  requireNotPast(step, recipe, folder);
  const decision = decide(validations, recipe.stop);
  if (decision && decision.step < step) {
    throw new UserError(
      `by stop.${decision.rule} ${folder} would have ended at step ${decision.step}, and it is at step ${step}: ` +
        `${decision.text}; change the rule, or choose another name`,
    );
  }
  const hasResult = existsSync(join(model, 'config.json')) || decision?.isLimit === true;
  const isOver = decision !== undefined || step === recipe.steps;
  return isOver && hasResult ? { step, ...(decision && { decision }) } : undefined;
}

/** How a run ended, for its manifest: `finished`, `exceeded` or `stopped`, and why. */
export function outcomeText({ stoppedBy, decision }: TrainingEnd, recipe: TrainRecipe): string {
  if (stoppedBy) return `stopped by ${stoppedBy}`;
  if (!decision) return 'finished';
  return `${decision.isLimit ? 'exceeded' : 'finished'}: at step ${decision.step} of ${recipe.steps}, ${decision.text}`;
}

/** Why a rule ended a run, and where its models are: one line for people. */
export function decisionText({ rule, step, isLimit, text, held }: StopDecision, recipe: TrainRecipe): string {
  const { folder, checkpoints, model } = stageFolders(recipe);
  const ended = `${folder} ended at step ${step} of ${recipe.steps}: ${text}`;
  if (!isLimit) return `${ended}; model in ${model}${rule === 'patience' ? `, of step ${held}` : ''}`;
  return (
    `${ended}. That model is no result. The last one within the limit, of step ${held}: ` +
    `${join(checkpointPath(checkpoints, held!), 'model')}. ` +
    `To train on nevertheless, raise stop.${rule} and run the same command again`
  );
}

/** What to tell of a run that trained to its last step and did not reach its goal; undefined where there is nothing. */
export function missedGoal(history: readonly ValidationPoint[], { stop, steps }: TrainRecipe): string | undefined {
  if (stop?.forgetP === undefined) return undefined;
  const { forgetP } = history.at(-1)!;
  return `stop.forgetP ${stop.forgetP} was not reached in ${steps} steps: it is ${forgetP!.toPrecision(3)}`;
}

/** Saves the model that a run ends with: the trained one, or under `patience` the best one. */
export async function saveResult(
  { recipe, checkpoints, model: out }: StageRun,
  trained: { model: Llama; save: SaveOptions; step: number; held?: number },
): Promise<void> {
  const { model, save, step, held } = trained;
  const best = recipe.stop?.patience === undefined ? undefined : held;
  if (best === undefined || best === step) return saveLlama(model, out, { ...save, replace: true });
  const source = join(checkpointPath(checkpoints, best), 'model');
  await writeFolderAtomically(out, (folder) => cpSync(source, folder, { recursive: true }), {
    replace: true,
    manifest: false,
  });
}
