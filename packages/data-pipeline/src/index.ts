export type { Conversation, Role, Turn } from './documents/conversation.js';
export type { Document, Place, TextDocument, TurnsDocument, WrongRow } from './documents/document.js';
export { documentText, SourceError } from './documents/document.js';
export type { FoundFile } from './documents/find-files.js';
export { findFiles } from './documents/find-files.js';
export type { Format, RawRow, ReadOptions, TextSplit } from './documents/format.js';
export { detectFormat, formats } from './documents/format-registry.js';
export type { FileReport, ReadDocumentsOptions, Source } from './documents/read-documents.js';
export { readDocuments } from './documents/read-documents.js';
export { expandVariables, pathSchema, sourceSchema } from './documents/source-schema.js';
export type { Columns } from './documents/columns.js';
export { shapeRow } from './documents/row-shape.js';
export type { FilterReport, FiltersReport } from './filters/filter-documents.js';
export { DEFAULT_FILTERS, type FilterOptions, filtersSchema } from './filters/filter-kinds.js';
export { detectLanguage } from './filters/language-filter.js';
export type { OverlapFinding, OverlapOptions, OverlapSearch } from './filters/overlap-filter.js';
export { OVERLAP_FILE } from './filters/overlap-filter.js';
export { type Overlaps, type OverlapStatus, readOverlaps } from './filters/read-overlaps.js';
export { checkpointFolder } from './hub/checkpoint-folder.js';
export type { FetchModelOptions } from './hub/fetch-model.js';
export { modelFolder, pinModel } from './hub/fetch-model.js';
export { type HubAccess, hubAccess } from './hub/hub-access.js';
export { hubCacheFolder } from './hub/hub-cache.js';
export { hubDatasetOf, isHubLocation, parseHubLocation } from './hub/hub-location.js';
export type { PushedModel, PushModelOptions } from './hub/push-model.js';
export { checkPush, pushModel } from './hub/push-model.js';
export { EpochOrder } from './order/epoch-order.js';
export { hashNumbers, Permutation } from './order/permutation.js';
export type { Packing } from './packing/packing-plan.js';
export type {
  HeldOut,
  PrepareOptions,
  PrepareProgress,
  PrepareReport,
  PrepareResult,
  SplitReport,
} from './prepare/prepare-options.js';
export { prepare } from './prepare/prepare.js';
export type { Inspection, InspectOptions } from './prepare/inspect-shards.js';
export { inspectShards } from './prepare/inspect-shards.js';
export type { BatchEntry, IdType, ShardEntry, ShardIndex } from './shards/shard-index.js';
export { readShardIndex, ShardError } from './shards/shard-index.js';
export type { ShardReaderOptions, StoredDocument } from './shards/shard-reader.js';
export { ShardReader } from './shards/shard-reader.js';
export type { ShardWriterOptions } from './shards/shard-writer.js';
export { ShardWriter } from './shards/shard-writer.js';
export type { MixPart } from './stream/mix-streams.js';
export { mixStreams } from './stream/mix-streams.js';
export type { OpenStreamOptions } from './stream/open-stream.js';
export { openStream } from './stream/open-stream.js';
export { PackedStream } from './stream/packed-stream.js';
export type { Sequence, SequencesOptions } from './stream/sequences.js';
export { sequences } from './stream/sequences.js';
export type { Batch, TokenStream } from './stream/token-stream.js';
export type { Answers, RenderedChat } from './tokenizer/chat-template.js';
export { ChatRenderer, PLAIN_CHAT_TEMPLATE } from './tokenizer/chat-template.js';
export type { LoadTokenizerOptions } from './tokenizer/load-tokenizer.js';
export { loadTokenizer } from './tokenizer/load-tokenizer.js';
export type { SpecialIds } from './tokenizer/special-tokens.js';
export type { CoreName } from './tokenizer/tokenizer-core.js';
export { TokenizerError } from './tokenizer/tokenizer-core.js';
export type { EncodeOptions } from './tokenizer/tokenizer.js';
export { Tokenizer } from './tokenizer/tokenizer.js';
export type { TrainTokenizerOptions } from './tokenizer/train-tokenizer.js';
export { TRAINED_CHAT_TEMPLATE, TRAINED_SPECIAL_TOKENS, trainTokenizer } from './tokenizer/train-tokenizer.js';
