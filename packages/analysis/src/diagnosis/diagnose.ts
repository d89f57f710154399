import { checkpointFolder } from '@lethe/data-pipeline';
import { type Logger, silentLogger, UsageError } from '@lethe/run';
import { diagnoseEmbeddings, type EmbeddingDiagnosis } from './embeddings.js';
import { diagnosePerplexities, type PerplexityDiagnosis } from './perplexities.js';
import { diagnoseTokenIds, type TokenDiagnosis } from './token-ids.js';

/** What is diagnosed; folders of shards are those that `prepare` writes. */
export interface DiagnoseOptions {
  /** The checkpoint that others are compared with: a folder, or `hf://OWNER/NAME`. */
  base: string;
  /** Checkpoints whose perplexities are compared with the base's. */
  models?: readonly string[];
  /** Held-out shards to measure perplexities on. */
  data?: readonly string[];
  /** Shards whose token ids are compared: both or neither. */
  synthetic?: string;
  natural?: string;
  /** Also lay out how the base model embeds both (t-SNE). */
  embeddings?: boolean;
  /** Documents of each, default 2000. */
  documents?: number;
  /** Tokens of a document, default 1024. */
  maxLength?: number;
  logger?: Logger;
}

/** What a diagnosis found; diagnosis.json. */
export interface Diagnosis {
  tokenIds?: TokenDiagnosis;
  embeddings?: EmbeddingDiagnosis;
  perplexities?: PerplexityDiagnosis[];
}

/** @throws UsageError where the options leave nothing to compare, or half of it. */
export function checkDiagnoseOptions({ models = [], data = [], ...rest }: DiagnoseOptions): void {
  const { synthetic, natural, embeddings } = rest;
  if ((synthetic === undefined) !== (natural === undefined))
    throw new UsageError('token ids are compared between two texts: give both --synthetic SHARDS and --natural SHARDS');
  if (embeddings && synthetic === undefined)
    throw new UsageError('--embeddings needs the texts to embed: give --synthetic SHARDS and --natural SHARDS');
  if (models.length === 0 && data.length === 0 && synthetic !== undefined) return;
  if (models.length === 0) throw new UsageError('nothing to compare with the base: give --model DIR');
  if (data.length === 0)
    throw new UsageError('no text to measure on: give --data SHARDS (a held-out folder that `lethe prepare` wrote)');
}

/**
 * Tells what sets synthetic text apart from natural text, and how far models' perplexities lie from the base's; on the
 * current device.
 * @throws UsageError on bad options; UserError on bad shards or checkpoints.
 */
export async function diagnose(options: DiagnoseOptions): Promise<Diagnosis> {
  checkDiagnoseOptions(options);
  const { base, models = [], data = [], synthetic, natural, embeddings } = options;
  const { documents = 2000, maxLength = 1024, logger = silentLogger } = options;
  const limits = { documents, maxLength };
  const diagnosis: Diagnosis = {};
  if (synthetic !== undefined && natural !== undefined) {
    logger.progress(`token ids of ${synthetic} and ${natural}`);
    const folder = await checkpointFolder(base, logger);
    diagnosis.tokenIds = await diagnoseTokenIds(folder, { synthetic, natural }, limits);
    if (embeddings) {
      logger.progress(`embeddings of ${synthetic} and ${natural} by ${base}`);
      diagnosis.embeddings = await diagnoseEmbeddings({ folder, location: base }, { synthetic, natural }, limits);
    }
  }
  if (models.length > 0) diagnosis.perplexities = await diagnosePerplexities([base, ...models], data, limits, logger);
  logger.endProgress();
  return diagnosis;
}
