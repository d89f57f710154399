export { AddonError, addonPath, addonRemedy, loadAddon } from './addon.js';
export type {
  Access,
  Addon,
  Field,
  MemoryStats,
  NativeErrorCode,
  NativeInfo,
  OpenedCollectives,
  OperatorDescription,
} from './addon.js';
export { type CollectiveKind, collectiveKind } from './collectives.js';
export {
  binaryKind,
  deviceIndex,
  deviceNames,
  operatorIndex,
  operatorNames,
  reduceKind,
  unaryKind,
  unlearnMethod,
} from './operators.js';
export type { DeviceName, OperatorName } from './operators.js';
