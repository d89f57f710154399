import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { checkpointPath, UserError, writeFolderAtomically } from '@lethe/run';
import { exportMerged, type Llama, readAdapter, saveLlama, writeAdapter } from '@lethe/model';
import type { TrainRecipe } from './recipe.js';
import { requireNotPast } from './recipe-hash.js';
import { stageFolders } from './stage-folder.js';
import type { StageRun } from './stage-run.js';
import { decide, type StopDecision, type ValidationPoint } from './stop-rules.js';
import { adapterFolder, type SaveModel } from './training-state.js';
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
    `${savedModel(recipe, checkpointPath(checkpoints, held!))}. ` +
    `To train on nevertheless, raise stop.${rule} and run the same command again`
  );
}

/** Where a checkpoint has its model; of an adapter, how to make it a model. */
function savedModel({ model: { init, lora } }: TrainRecipe, checkpoint: string): string {
  if (!lora) return join(checkpoint, 'model');
  const adapter = adapterFolder(checkpoint);
  return `${adapter}, which lethe export --model ${init} --adapter ${adapter} --out FOLDER merges`;
}

/** What to tell of a run that trained to its last step and did not reach its goal; undefined where there is nothing. */
export function missedGoal(history: readonly ValidationPoint[], { stop, steps }: TrainRecipe): string | undefined {
  if (stop?.forgetP === undefined) return undefined;
  const { forgetP } = history.at(-1)!;
  return `stop.forgetP ${stop.forgetP} was not reached in ${steps} steps: it is ${forgetP!.toPrecision(3)}`;
}

/** Saves the model that a run ends with: the trained one, or under `patience` the best one. */
export async function saveResult(
  run: StageRun,
  trained: { model: Llama; save: SaveModel; step: number; held?: number },
): Promise<void> {
  const { recipe, checkpoints, model: out } = run;
  const { model, save, step, held } = trained;
  const best = recipe.stop?.patience === undefined || held === step ? undefined : held;
  if (model.adapter) return saveAdapted(run, { model, save, best });
  if (best === undefined) return saveLlama(model, out, { ...save, replace: true });
  const source = join(checkpointPath(checkpoints, best), 'model');
  await writeFolderAtomically(out, (folder) => cpSync(source, folder, { recursive: true }), {
    replace: true,
    list: 'none', // it is among what is copied
  });
}

/** Saves an adapter, and the whole model that it makes of the checkpoint it was trained over: last, for it says that the run has ended. */
async function saveAdapted(
  { folder, checkpoints, model: out }: StageRun,
  { model, save, best }: { model: Llama; save: SaveModel; best?: number },
): Promise<void> {
  const { lora, tokenizerFrom, extraFiles } = save;
  const saved = best === undefined ? undefined : adapterFolder(checkpointPath(checkpoints, best));
  const adapter = saved === undefined ? model.adapter! : readAdapter(saved, model.config);
  try {
    const write = (temporary: string): void => writeAdapter(adapter, temporary, lora!);
    await writeFolderAtomically(adapterFolder(folder), write, { replace: true, list: 'sums' });
    await exportMerged(model.source, adapter, { out, tokenizerFrom, extraFiles, replace: true });
  } finally {
    if (saved !== undefined) adapter.dispose();
  }
}
