import { loadTokenizer } from '@lethe/data-pipeline';
import { loadLlama } from '@lethe/model';
import { UserError } from '@lethe/run';
import { documentEmbeddings } from '../embeddings.js';
import { mean } from '../distribution-shift.js';
import { sharesOfNeighbours } from '../separation.js';
import { tsne, tsneNeighbours } from '../tsne.js';
import { type ReadLimits, readSequences } from './read-sequences.js';

const PERPLEXITY = 30;

/** Where a model puts synthetic and natural documents. */
export interface EmbeddingDiagnosis {
  model: string;
  synthetic: string;
  natural: string;
  numSynthetic: number;
  numNatural: number;
  /** Mean share of a document's ten nearest neighbours that are of its own kind. */
  ownNeighbours: number;
  /** What that share would be if the kinds were mixed. */
  mixed: number;
  /** Coordinates by t-SNE, the synthetic documents first. */
  layout: [number, number][];
}

/** Embeds documents of both kinds with the model in `folder` and lays them out in a plane. */
export async function diagnoseEmbeddings(
  { folder, location }: { folder: string; location: string },
  { synthetic, natural }: Record<'synthetic' | 'natural', string>,
  limits: ReadLimits,
): Promise<EmbeddingDiagnosis> {
  const tokenizer = await loadTokenizer(folder);
  const first = await readSequences(synthetic, tokenizer, limits);
  const documents = [...first, ...(await readSequences(natural, tokenizer, limits))];
  if (documents.length < 3 * PERPLEXITY)
    throw new UserError(
      `${synthetic} and ${natural} have ${documents.length} documents; --embeddings needs ${3 * PERPLEXITY} to draw`,
    );
  const { model } = loadLlama(folder, { trainable: false });
  const points = documentEmbeddings(model, documents, limits);
  model.dispose();
  if (!points.values.every(Number.isFinite))
    throw new UserError(`${location}: the model computed hidden states that are not finite; its weights are damaged`);
  const isFirst = documents.map((_, i) => i < first.length);
  const [N, n] = [documents.length, first.length];
  const neighbours = tsneNeighbours(points, PERPLEXITY);
  const plane = tsne(points, { perplexity: PERPLEXITY, neighbours });
  return {
    model: location,
    synthetic,
    natural,
    numSynthetic: n,
    numNatural: N - n,
    ownNeighbours: mean(sharesOfNeighbours(neighbours, isFirst)),
    mixed: (n * (n - 1) + (N - n) * (N - n - 1)) / (N * (N - 1)),
    layout: documents.map((_, i) => [plane[2 * i], plane[2 * i + 1]]),
  };
}
