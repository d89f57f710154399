import { diagnose, type Diagnosis } from '@lethe/analysis';
import type { Logger } from '@lethe/run';
import { embeddingSection } from '../diagnosis/embeddings.js';
import { tokenSection } from '../diagnosis/token-ids.js';
import type { RepairData } from './repair-data.js';

/** Seconds that embedding the documents may take, and documents of each kind, at least and at most. */
const [SECONDS, FEWEST, MOST] = [20, 100, 2000];
/** The layout needs so many documents in all. */
const FEWEST_DRAWN = 90;

/** What the page draws of the texts: their token ids, and where the model puts their documents. */
export type TextFigures = Pick<Diagnosis, 'tokenIds' | 'embeddings'>;

/**
 * Looks at the texts as the model sees them, on the device in use.
 * @param secondsPerToken of a forward pass: slow models embed fewer documents.
 */
export async function textFigures(
  model: { folder: string; name: string; maxLength: number },
  { synthetic, natural }: RepairData,
  { secondsPerToken, logger }: { secondsPerToken: number; logger: Logger },
): Promise<TextFigures> {
  const affordable = Math.floor(SECONDS / (2 * model.maxLength * secondsPerToken));
  const documents = Math.min(MOST, Math.max(FEWEST, affordable));
  const drawn = Math.min(documents, synthetic.documents.train) + Math.min(documents, natural.documents.train);
  const found = await diagnose({
    base: model.folder,
    synthetic: synthetic.train,
    natural: natural.train,
    documents,
    maxLength: model.maxLength,
    embeddings: drawn >= FEWEST_DRAWN,
    logger,
  });
  const names = { synthetic: 'synthetic', natural: 'natural' };
  return {
    ...(found.tokenIds && { tokenIds: { ...found.tokenIds, ...names } }),
    ...(found.embeddings && { embeddings: { ...found.embeddings, ...names, model: model.name } }),
  };
}

/** The figures as HTML. */
export const figureSections = ({ embeddings, tokenIds }: TextFigures): string =>
  [embeddings && embeddingSection(embeddings), tokenIds && tokenSection(tokenIds)].filter(Boolean).join('\n');
