import { checkpointFolder, loadTokenizer } from '@lethe/data-pipeline';
import { documentPerplexities, loadLlama } from '@lethe/model';
import { type Logger, UserError } from '@lethe/run';
import { distributionShift } from '../distribution-shift.js';
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
      if (documents.length < 2 && models.length > 1) {
        throw new UserError(
          `${diagnosis.data}: expected at least two documents of two or more tokens, to compare models by, received ` +
            `${documents.length}; give more text`,
        );
      }
      const { logPerplexities, perplexity } = documentPerplexities(model, documents);
      const base = diagnosis.models[0]?.logPerplexities;
      const shift = base && distributionShift(logPerplexities, base);
      diagnosis.models.push({ model: location, logPerplexities, perplexity, ...(shift && { shift }) });
    }
    model.dispose();
  }
  return diagnoses;
}
