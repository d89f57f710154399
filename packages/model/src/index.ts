export { findTokenizerFiles, type ModelFolder, openModelFolder, TOKENIZER_FILES } from './checkpoint-files.js';
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
export { type ExportOptions, exportModelFolder } from './export-model.js';
export { countParameters, layerPrefix, type ParameterSpec, parameterSpecs } from './parameter-names.js';
export { type RopeTables, ropeTables } from './rope-tables.js';
export type { TensorInfo } from './safetensors/header.js';
export { openSafetensors, type SafetensorsFile, type TensorSource } from './safetensors/reader.js';
export { SafetensorsError } from './safetensors/safetensors-error.js';
export { openShardedSafetensors } from './safetensors/sharded-reader.js';
export { type TensorStream, type WeightsOptions, writeWeights } from './safetensors/sharded-writer.js';
export {
  createSafetensorsWriter,
  type NamedTensor,
  type SafetensorsWriter,
  type SafetensorsWriterOptions,
  type StoredDtype,
  writeSafetensors,
} from './safetensors/writer.js';
