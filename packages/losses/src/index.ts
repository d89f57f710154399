export {
  addSums,
  type Objective,
  readSums,
  type Reduction,
  type TargetCounts,
  termMeans,
  termScales,
  type TermSums,
  type TermWeights,
  unlearnLoss,
} from './objective.js';
