import type { PerplexityDiagnosis } from '@lethe/analysis';
import { legend } from '../charts/axes.js';
import { densitySvg } from '../charts/density-svg.js';
import { escapeHtml, htmlTable } from '../charts/html.js';

/** The header of {@link perplexityRows}. */
export const PERPLEXITY_HEADER = [
  'data',
  'model',
  'perplexity',
  'mean difference',
  'variance ratio',
  'Wasserstein-1',
  'KS',
];

/** A row for each model. */
export function perplexityRows({ data, models }: PerplexityDiagnosis): string[][] {
  return models.map(({ model, perplexity, shift }) => {
    const measures = shift
      ? [shift.meanDifference, shift.varianceRatio, shift.wasserstein1, shift.ks].map((x) => x.toFixed(3))
      : ['', '', '', ''];
    return [data, model, perplexity.toFixed(2), ...measures];
  });
}

/** Table and densities as HTML. */
export function perplexitySection(diagnoses: readonly PerplexityDiagnosis[]): string {
  const figures = diagnoses.map(({ data, models }) => {
    const series = models.map(({ model, logPerplexities }) => ({ name: model, values: logPerplexities }));
    const names = legend(series.map(({ name }) => name));
    return `<h3>${escapeHtml(data)}</h3>${names}${densitySvg(series, 'log-perplexity of a document, nats per token')}`;
  });
  const table = htmlTable(
    PERPLEXITY_HEADER,
    diagnoses.flatMap(perplexityRows).map((row) => row.map(escapeHtml)),
  );
  return `<h2>Perplexities</h2>${table}${figures.join('')}`;
}
