export {
  baselm,
  ConfigError,
  type LlamaConfig,
  type ModelFamily,
  type RopeScaling,
  type WeightDtype,
} from './config.js';
export { parseConfig, readConfig } from './config-reader.js';
export { toHuggingFaceConfig } from './config-writer.js';
export { countParameters, layerPrefix, type ParameterSpec, parameterSpecs } from './parameter-names.js';
export { type RopeTables, ropeTables } from './rope-tables.js';
