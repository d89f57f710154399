import type { EmbeddingDiagnosis } from '@lethe/analysis';
import { legend } from '../charts/axes.js';
import { escapeHtml } from '../charts/html.js';
import { scatterSvg } from '../charts/scatter-svg.js';

/** How far the kinds lie apart, in a sentence. */
export function embeddingSummary({ model, numSynthetic, numNatural, ...measures }: EmbeddingDiagnosis): string {
  const [own, mixed] = [measures.ownNeighbours, measures.mixed].map((share) => (100 * share).toFixed(1));
  return (
    `last hidden states of ${model}, ${numSynthetic} synthetic and ${numNatural} natural documents: ` +
    `${own}% of a document's ten nearest neighbours are of its own kind (${mixed}% if they were mixed)`
  );
}

/** The layout as HTML. */
export function embeddingSection(diagnosis: EmbeddingDiagnosis): string {
  const { synthetic, natural, numSynthetic, layout } = diagnosis;
  const groups = [
    { name: synthetic, points: layout.slice(0, numSynthetic) },
    { name: natural, points: layout.slice(numSynthetic) },
  ];
  return (
    `<h2>Embeddings</h2><p>${escapeHtml(embeddingSummary(diagnosis))}.</p>` +
    legend(groups.map(({ name }) => name)) +
    scatterSvg(groups, 't-SNE of the mean last hidden states of documents')
  );
}
