// What a program that uses Lethe needs: the steps of a repair as functions, the objective, models and tokenizers.
export type { Diagnosis } from '@lethe/analysis';
export { main } from '@lethe/cli';
export {
  loadTokenizer,
  prepare,
  type PrepareOptions,
  type PrepareProgress,
  type PrepareResult,
  Tokenizer,
  trainTokenizer,
} from '@lethe/data-pipeline';
export { compareEvaluations, type Evaluation } from '@lethe/eval';
export { FORGETTING_METHODS, type ForgettingLoss, type Objective, type TermWeights, unlearnLoss } from '@lethe/losses';
export { generate, type GenerateOptions, Llama, scoreSequences } from '@lethe/model';
export { createLogger, type Logger, silentLogger, UserError } from '@lethe/run';
export { serve, type ServeOptions, type Server } from '@lethe/serve';
export { backward, type DeviceName, type DeviceSettings, useDevice } from '@lethe/tensor';
export type { StageResult } from '@lethe/train';
export { diagnose, type DiagnoseOptions } from './diagnose.js';
export { evaluate, type EvaluateOptions, type EvaluateRecipe } from './evaluate.js';
export { loadModel, type LoadedModel, type LoadModelOptions } from './load-model.js';
export { saveModel } from './save-model.js';
export { train, type TrainOptions } from './train.js';
