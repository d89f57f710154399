export { checkStage } from './check-stage.js';
export { describeData } from './describe-data.js';
export { describeMicroBatches, type MicroBatch } from './micro-batch.js';
export { NonFiniteError } from './non-finite.js';
export { Optimizer } from './optimizer.js';
export { type TrainRecipe, trainRecipeSchema } from './recipe.js';
export { dataHash, decidingPart, recipeHash } from './recipe-hash.js';
export { runStage, type StageOptions, type StageResult } from './run-stage.js';
export { learningRate } from './schedule.js';
export { decisionText } from './stage-end.js';
export { digestStart } from './start-files.js';
export { stageFolders, stageMetrics, stageRecords, stageValidations } from './stage-folder.js';
export { accumulateGradients, countTargets, evaluateBatches, type StepContext } from './step.js';
export {
  decide,
  finalValidation,
  heldStep,
  type StopDecision,
  type StopRules,
  type ValidationPoint,
} from './stop-rules.js';
export { termGradientNorms } from './term-gradients.js';
export { type StepRecord, train, type Training, type TrainingEnd } from './trainer.js';
export { readTrainingState } from './training-state.js';
