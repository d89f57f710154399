import { distributionShift } from '@lethe/analysis';
import { checkpointFolder, loadTokenizer } from '@lethe/data-pipeline';
import { documentPerplexities, loadLlama } from '@lethe/model';
import type { Logger } from '@lethe/run';
import { legend } from '../report/axes.js';
import { densitySvg } from '../report/density-svg.js';
import { escapeHtml, htmlTable } from '../report/html.js';
import { type ReadLimits, readSequences } from './read-sequences.js';

/** Perplexities of models on a text, the base model's first. */
export interface PerplexityDiagnosis {
  data: string;
  models: {
    model: string;
    /** One for each document, nats per token. */
    logPerplexities: number[];
    perplexity: number;
    /** Against the base. */
    shift?: ReturnType<typeof distributionShift>;
  }[];
}

/** Measures models, the base first, on every text. */
export async function diagnosePerplexities(
  models: readonly string[],
  texts: readonly string[],
  limits: ReadLimits,
  logger: Logger,
): Promise<PerplexityDiagnosis[]> {
  const diagnoses: PerplexityDiagnosis[] = texts.map((data) => ({ data, models: [] }));
  for (const location of models) {
    const folder = await checkpointFolder(location, logger);
    const tokenizer = await loadTokenizer(folder);
    const { model } = loadLlama(folder, { trainable: false });
    for (const diagnosis of diagnoses) {
      logger.progress(`${location} on ${diagnosis.data}`);
      const documents = await readSequences(diagnosis.data, tokenizer, limits);
      const { logPerplexities, perplexity } = documentPerplexities(model, documents);
      const base = diagnosis.models[0]?.logPerplexities;
      const shift = base && distributionShift(logPerplexities, base);
      diagnosis.models.push({ model: location, logPerplexities, perplexity, ...(shift && { shift }) });
    }
    model.dispose();
  }
  return diagnoses;
}

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
