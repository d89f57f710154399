export type { Conversation, Role, Turn } from './documents/conversation.js';
export type { Document, Place, TextDocument, TurnsDocument, WrongRow } from './documents/document.js';
export { documentText, SourceError } from './documents/document.js';
export { findFiles } from './documents/find-files.js';
export { formats } from './documents/format-registry.js';
export { jsonRows } from './documents/json-formats.js';
export { type CsvRecord, csvRecords } from './documents/split-csv-records.js';
export type { FileReport, ReadDocumentsOptions, Source } from './documents/read-documents.js';
export { readDocuments } from './documents/read-documents.js';
export { pathSchema, sourceSchema } from './documents/source-schema.js';
export type { Columns } from './documents/columns.js';
export type { FilterReport, FiltersReport } from './filters/filter-documents.js';
export { DEFAULT_FILTERS, type FilterOptions, filtersSchema } from './filters/filter-kinds.js';
export type { OverlapOptions } from './filters/overlap-filter.js';
export { type Overlaps, type OverlapStatus, readOverlaps } from './filters/read-overlaps.js';
export { checkpointFolder } from './hub/checkpoint-folder.js';
export type { FetchModelOptions } from './hub/fetch-model.js';
export { modelFolder, pinModel } from './hub/fetch-model.js';
export { type HubAccess, hubAccess } from './hub/hub-access.js';
export { hubCacheFolder } from './hub/hub-cache.js';
export { hubDatasetOf, isHubLocation, parseHubLocation } from './hub/hub-location.js';
export type { PushedModel, PushModelOptions } from './hub/push-model.js';
export { checkPush, pushModel } from './hub/push-model.js';
export type { Packing } from './packing/packing-plan.js';
export type { RowOrigin, RowSet } from './packing/row-set.js';
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
export type { RowShape, RowValues } from './row-store/row-format.js';
export { RowStore } from './row-store/row-store.js';
export { RowWriter } from './row-store/row-writer.js';
export type { IdType, ShardIndex } from './shards/shard-index.js';
export { readShardIndex, ShardError } from './shards/shard-index.js';
export { type MaskedShards, maskShards } from './shards/mask-shards.js';
export { type StoredDocument, ShardReader } from './shards/shard-reader.js';
export type { ShardWriterOptions } from './shards/shard-writer.js';
export { ShardWriter } from './shards/shard-writer.js';
export { mixStreams } from './stream/mix-streams.js';
export type { OpenStreamOptions } from './stream/open-stream.js';
export { openStream } from './stream/open-stream.js';
export type { Sequence, SequencesOptions } from './stream/sequences.js';
export { sequences } from './stream/sequences.js';
export type { Batch, TokenStream } from './stream/token-stream.js';
export type { Answers } from './tokenizer/chat-template.js';
export { ChatRenderer, PLAIN_CHAT_TEMPLATE } from './tokenizer/chat-template.js';
export type { LoadTokenizerOptions } from './tokenizer/load-tokenizer.js';
export { sampleDocuments } from './template/sample-documents.js';
export {
  TEMPLATE_DEFAULTS,
  type TemplateCorpora,
  TemplateFinder,
  type TemplateSettings,
} from './template/template-finder.js';
export { loadTokenizer } from './tokenizer/load-tokenizer.js';
export type { CoreName } from './tokenizer/tokenizer-core.js';
export { TokenizerError } from './tokenizer/tokenizer-core.js';
export type { EncodeOptions } from './tokenizer/tokenizer.js';
export { Tokenizer } from './tokenizer/tokenizer.js';
export type { TrainTokenizerOptions } from './tokenizer/train-tokenizer.js';
export { trainTokenizer } from './tokenizer/train-tokenizer.js';
