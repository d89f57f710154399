export {
  makeFolder,
  requireLocal,
  requireReplaceable,
  syncPath,
  writeFileAtomically,
  writeFolderAtomically,
} from './atomic-file.js';
export {
  type Checkpoint,
  checkpointPath,
  latestCheckpoint,
  listCheckpoints,
  removeOldCheckpoints,
  saveCheckpoint,
} from './checkpoint-folder.js';
export { type Clock, systemClock } from './clock.js';
export { digestFile, type FileDigest } from './digest-file.js';
export { formatDuration, remainingSeconds } from './duration.js';
export { EXIT_CODES } from './exit-codes.js';
export { freeBytes, nearestFolder } from './free-bytes.js';
export { LockedError, lockBeside, lockWithin, removeDeadLock, whileLocked } from './lock.js';
export { createLogger, type Logger, type LoggerOptions, type LogLevel, silentLogger } from './log.js';
export {
  gitRevision,
  type GitRevision,
  type MachineInfo,
  type OpenRunManifest,
  openRunManifest,
  settleRunManifest,
  readRunManifest,
  type RunData,
  type RunLaunch,
  type RunManifest,
  type RunProcess,
} from './manifest.js';
export { type MetricsRecord, type MetricsValue, type MetricsWriter, openMetrics, readMetrics } from './metrics.js';
export { nearestName } from './nearest-name.js';
export { boundedMessage, plainLine, plainText, shortened } from './plain-text.js';
export {
  describeIssues,
  type LoadedRecipe,
  loadRecipe,
  RecipeError,
  type RecipeIssue,
  recipeJsonSchema,
} from './recipe.js';
export { requireFile, specialKind } from './regular-file.js';
export { openLine, sealLine } from './sealed-lines.js';
export { type Random, seededRandom } from './seed.js';
export { setAside } from './set-aside.js';
export { listenForStop, type StopRequest, type StopSignal } from './signals.js';
export { readJsonFile } from './json-file.js';
export { requireSums, SUMS } from './sums.js';
export { explainSystemError, readingProblem } from './system-error.js';
export { closingOnError } from './closing-on-error.js';
export { temporaryPath } from './temporary-path.js';
export { openTensorBoard } from './tensorboard.js';
export { UsageError, UserError } from './user-error.js';
export { VERSION } from './version.js';
export { explainWriteError, WriteError, writeText, writing } from './write-error.js';
