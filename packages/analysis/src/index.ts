export { type DensityCurve, kernelDensity, silvermanBandwidth } from './density.js';
export { type DistributionShift, distributionShift, mean, variance } from './distribution-shift.js';
export { templateMass } from './template-mass.js';
export { countTokens, tokenDensity, type TokenPeak, type TokenShift, tokenShift } from './token-ids.js';
export { documentEmbeddings } from './embeddings.js';
export { ownNeighbours } from './separation.js';
export { type Points, squaredDistances, tsne, type TsneOptions } from './tsne.js';
