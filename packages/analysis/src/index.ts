export { type DensityCurve, kernelDensity } from './density.js';
export { type DistributionShift, distributionShift } from './distribution-shift.js';
export { templateMass } from './template-mass.js';
export { type TokenPeak, type TokenShift } from './token-ids.js';
export { checkDiagnoseOptions, diagnose, type DiagnoseOptions, type Diagnosis } from './diagnosis/diagnose.js';
export type { EmbeddingDiagnosis } from './diagnosis/embeddings.js';
export type { PerplexityDiagnosis } from './diagnosis/perplexities.js';
export { readSequences } from './diagnosis/read-sequences.js';
export type { TokenDiagnosis } from './diagnosis/token-ids.js';
