export {
  digestFile,
  type FileDigest,
  FOLDER_MANIFEST,
  isTemporaryName,
  syncPath,
  temporaryPath,
  verifyFolder,
  writeFileAtomically,
  writeFolderAtomically,
  type WriteFolderOptions,
} from './atomic-file.js';
export {
  type Checkpoint,
  checkpointPath,
  latestCheckpoint,
  listCheckpoints,
  saveCheckpoint,
} from './checkpoint-folder.js';
export { type Clock, type ManualClock, manualClock, systemClock } from './clock.js';
export { formatDuration, remainingSeconds } from './duration.js';
export { createLogger, LOG_LEVELS, type Logger, type LoggerOptions, type LogLevel, silentLogger } from './log.js';
export {
  gitRevision,
  type GitRevision,
  type MachineInfo,
  machineInfo,
  type OpenRunManifest,
  openRunManifest,
  readRunManifest,
  type RunData,
  type RunDescription,
  type RunLaunch,
  type RunManifest,
} from './manifest.js';
export { type MetricsRecord, type MetricsValue, type MetricsWriter, openMetrics, readMetrics } from './metrics.js';
export { nearestName } from './nearest-name.js';
export { type LoadedRecipe, loadRecipe, RecipeError, type RecipeIssue, recipeJsonSchema } from './recipe.js';
export { formatKeyPath, type KeyPath } from './recipe-document.js';
export { type Random, seededRandom } from './seed.js';
export { listenForStop, type SignalSource, STOP_EXIT_CODES, type StopRequest, type StopSignal } from './signals.js';
export { openTensorBoard, type TensorBoardWriter } from './tensorboard.js';
export { UserError } from './user-error.js';
export { VERSION } from './version.js';
