import { latestCheckpoint, type Logger, readRunManifest, UserError } from '@lethe/run';
import { pinRecipe } from './pin-recipe.js';
import type { Fact } from './ranks/same-job.js';
import type { TrainRecipe } from './recipe.js';
import { dataHash, recipeHash, requireSameRecipe } from './recipe-hash.js';
import { digestOf } from './same-shards.js';
import { stageFolders } from './stage-folder.js';
import { digestStart, requireSameStart } from './start-files.js';
import { readTrainingState, requireTrainingState, type TrainingState } from './training-state.js';

/** A run of a stage, opened once and handed to all that works on it. */
export interface StageRun {
  /** With the commits of models on the hub in it. */
  recipe: TrainRecipe;
  folder: string;
  checkpoints: string;
  /** Where the trained model goes. */
  model: string;
  /** What its checkpoints say of where it came from. */
  origin: Pick<TrainingState, 'recipeHash' | 'dataHash' | 'startFiles'>;
  /** The newest checkpoint, which it goes on from; absent for a run that begins. */
  resumed?: { checkpoint: string; state: TrainingState };
}

/**
 * Finds what there is of a recipe's run, and that it is of this recipe and this start model.
 * @throws UserError naming the folder or file that is of another.
 */
export async function openStageRun(given: TrainRecipe, logger: Logger): Promise<StageRun> {
  const recipe = await pinRecipe(given, logger);
  const folders = stageFolders(recipe);
  const { folder } = folders;
  const { checkpoint, warnings } = latestCheckpoint(folders.checkpoints, requireTrainingState);
  for (const warning of warnings) logger.warn(warning);
  const state = checkpoint && readTrainingState(checkpoint.path);
  if (state) requireSameRecipe(state.recipeHash, recipe, folder);
  const startFiles = digestStart(recipe);
  if (state?.startFiles && startFiles) {
    requireSameStart({ began: state.startFiles, now: startFiles }, recipe.model.init!, folder);
  }
  const origin = { recipeHash: recipeHash(recipe), dataHash: dataHash(recipe), startFiles };
  return { recipe, ...folders, origin, ...(state && { resumed: { checkpoint: checkpoint.path, state } }) };
}

/** What must be the same on every rank of a run that is open. */
export function factsOf({ origin, checkpoints, resumed }: StageRun): Fact[] {
  const isShared = 'the folder of runs, the shards and the models must be ones that all ranks share';
  const start = Object.entries(origin.startFiles ?? {})
    .flat()
    .join(' ');
  return [
    { name: 'data', value: origin.dataHash.slice(0, 12), remedy: 'give every rank the same shards' },
    { name: 'start model', value: start, remedy: 'give every rank the same files' },
    { name: `newest checkpoint in ${checkpoints}`, value: String(resumed?.state.step ?? 'none'), remedy: isShared },
  ];
}

/** @throws UserError naming the shards that are others than those the run began with. */
export function requireSameData({ folder, origin, resumed }: StageRun): void {
  if (!resumed || resumed.state.dataHash === origin.dataHash) return;
  const changed = changedShards(folder);
  const which = changed.length > 0 ? changed.join(', ') : `the shards of ${folder}`;
  const remedy = 'restore what changed, choose another name, or remove the folder to start again';
  throw new UserError(`${which}: changed since ${folder} began; ${remedy}`);
}

/** Folders of shards whose index is not the one of the run's manifest; none where there is no manifest to tell. */
function changedShards(folder: string): string[] {
  try {
    const { data = [] } = readRunManifest(folder);
    return data.filter(({ shards, sha256 }) => digestOf(shards) !== sha256).map(({ shards }) => shards);
  } catch {
    return []; // A manifest that cannot be read is set aside later; that data changed is known without it.
  }
}
