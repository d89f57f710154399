export type { ForgetRows } from './forget-beside.js';
export {
  type Exponent,
  exponentHelp,
  type ExponentName,
  exponentProblem,
  FORGETTING_METHODS,
  type ForgettingLoss,
  type ForgettingMethod,
  type ForgettingMethodEntry,
  forgettingMethodNames,
  methodsHelp,
} from './methods.js';
export {
  addSums,
  type Objective,
  readSums,
  type Reduction,
  type TargetCounts,
  termMeans,
  type TermSums,
  type TermWeights,
  unlearnLoss,
} from './objective.js';
