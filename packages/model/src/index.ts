export { checkFinite, NonFiniteError } from './finite.js';
export type { SequenceEvent, SequenceRequest } from './batching/batch-sequence.js';
export { type BatchEvent, type BatchOptions, ContinuousBatch } from './batching/continuous-batch.js';
export { forwardRagged } from './batching/ragged-batch.js';
export { type TokenLogprob } from './batching/token-logprobs.js';
export { findModelFiles } from './checkpoint-files.js';
export {
  baselm,
  ConfigError,
  type LlamaConfig,
  type ModelFamily,
  type RopeScaling,
  type WeightDtype,
} from './config.js';
export { parseConfig, readConfig } from './config-reader.js';
export { type ExportOptions, exportModelFolder } from './export-model.js';
export { countParameters, parameterSizes, parameterSpecs } from './parameter-names.js';
export { openSafetensors, type TensorSource } from './safetensors/reader.js';
export { SafetensorsError } from './safetensors/safetensors-error.js';
export { createSafetensorsWriter } from './safetensors/writer.js';
export { documentPerplexities, type PerplexityReport } from './document-perplexities.js';
export { generate, type GenerateOptions } from './generate.js';
export { cloneLlama, initializeLlama } from './initialize.js';
export { KvCache } from './kv-cache.js';
export { type ForwardOptions, Llama, type TokenBatch } from './llama.js';
export { Adapter, initializeAdapter } from './lora/adapter.js';
export { type AdapterBase } from './lora/adapter-config.js';
export { holdsAdapter, readAdapter, writeAdapter } from './lora/adapter-files.js';
export { adaptedLayers, adapterSizes, LORA_TARGETS, type LoraSettings, type LoraTarget } from './lora/lora-settings.js';
export { exportMerged } from './lora/merge.js';
export { type LoadedLlama, loadHead, loadLlama, type LoadOptions, saveLlama, type SaveOptions } from './load-llama.js';
export { sampleToken, type Sampling } from './sampling.js';
export { scoreSequences } from './score.js';
export { disposeBatch, rowsOfSequences, toTokenBatch, type TokenRows } from './token-batch.js';
