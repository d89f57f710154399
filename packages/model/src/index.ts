export { checkFinite, NonFiniteError } from './finite.js';
export type { SequenceEvent, SequenceRequest } from './batching/batch-sequence.js';
export { type BatchEvent, type BatchOptions, ContinuousBatch } from './batching/continuous-batch.js';
export { type Continuation, forwardRagged } from './batching/ragged-batch.js';
export { type TokenLogprob, tokenLogprob } from './batching/token-logprobs.js';
export {
  findModelFiles,
  findTokenizerFiles,
  type ModelFolder,
  openModelFolder,
  TOKENIZER_FILES,
} from './checkpoint-files.js';
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
export { documentPerplexities, type PerplexityReport } from './document-perplexities.js';
export { generate, type GenerateOptions } from './generate.js';
export { cloneLlama, initializeLlama } from './initialize.js';
export { KvCache } from './kv-cache.js';
export { type ForwardOptions, Llama, type TokenBatch } from './llama.js';
export { type LoadedLlama, loadLlama, type LoadOptions, saveLlama, type SaveOptions } from './load-llama.js';
export { argmax, sampleToken, type Sampling } from './sampling.js';
export { scoreSequences } from './score.js';
export { disposeBatch, rowsOfSequences, toTokenBatch, type TokenRows } from './token-batch.js';
