export { alone, type Collectives } from './collectives/collectives.js';
export { type Launch, launchOf } from './collectives/launch.js';
export { gpuOfRank } from './collectives/gpu-of-rank.js';
export { openCollectives } from './collectives/open-collectives.js';
export { sumGradientsAsOne } from './collectives/sum-gradients.js';
export { probeCuda } from './probe-cuda.js';
export { applyDeviceSettings, type DeviceSettings } from './device-settings.js';
export {
  addonFile,
  DEVICE_NAMES,
  type DeviceName,
  deviceMemory,
  holdsInPlace,
  installedDevices,
  numThreads,
  MAX_THREADS,
  resetPeakMemory,
  setNumThreads,
  useDevice,
  vectorCode,
} from './devices.js';
export { adamw, type AdamwOptions, adamwPart, type Moments } from './operators/adamw.js';
export { add } from './operators/add.js';
export { appendRows } from './operators/append-rows.js';
export { attention, type AttentionInputs, type AttentionSizes } from './operators/attention.js';
export { embedding } from './operators/embedding.js';
export { globalNorm } from './operators/global-norm.js';
export { linear } from './operators/linear.js';
export { type LogitInputs, type LogitLoss, logitLoss, type LogitRow } from './operators/logit-loss.js';
export { type Part, partOfRank, readPart, writePart } from './operators/part.js';
export { reshape } from './operators/reshape.js';
export { rmsNorm, type RmsNormResult } from './operators/rms-norm.js';
export { rope, type RopeTables } from './operators/rope.js';
export { scale } from './operators/scale.js';
export { swiglu } from './operators/swiglu.js';
export {
  type ForgettingForm,
  HEAD_SUMS,
  type HeadInputs,
  type HeadOptions,
  type HeadResult,
  unlearnHead,
} from './operators/unlearn-head.js';
export { Parameter } from './parameter.js';
export { type Precision } from './precision.js';
export { startProfile, stopProfile } from './profile.js';
export { bf16Bits, bf16Tensor, frozenWeight, holdsBf16, zeroActivation } from './storage.js';
export { backward, checkpoint, gradients, noGrad, scope } from './tape.js';
