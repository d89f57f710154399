import { sequences, type TemplateFinder } from '@lethe/data-pipeline';
import { loadLlama, scoreSequences } from '@lethe/model';
import { meanOf, type Share } from './statistics.js';

/** A held-out synthetic document, and which of its tokens are the pattern's. */
export interface MarkedDocument {
  ids: Int32Array;
  marks: Uint8Array;
  /** Which say something: neither the pattern's nor special ones. */
  content: Uint8Array;
  /** The probability of each token that the synthetic text itself gives it, see {@link TemplateFinder.continuation}. */
  attainable: Float64Array;
}

/** The documents that models are measured on. */
export interface MeasuredTexts {
  synthetic: MarkedDocument[];
  natural: Int32Array[];
}

/** Sums over the tokens of each document: probabilities of synthetic tokens, negative log-likelihoods of natural ones. */
export interface ModelMeasures {
  pattern: Share[];
  synthetic: Share[];
  /** Of synthetic tokens that are not the pattern's: what the text says. */
  content: Share[];
  natural: Share[];
  /** Negative log-likelihoods of synthetic tokens. */
  syntheticLoss: Share[];
  /** Probabilities of the tokens of the first documents, each from its second token on. */
  examples: number[][];
}

/** Documents that are shown token by token, and their longest part. */
const [NUM_EXAMPLES, LONGEST_EXAMPLE] = [2, 160];

/** The documents that are shown. */
export const exampleDocuments = (documents: readonly MarkedDocument[]): { ids: Int32Array; marks: Uint8Array }[] =>
  documents
    .slice(0, NUM_EXAMPLES)
    .map(({ ids, marks }) => ({ ids: ids.slice(0, LONGEST_EXAMPLE), marks: marks.slice(0, LONGEST_EXAMPLE) }));

/** How much is measured, at most. */
export interface MeasureLimits {
  maxLength: number;
  documents: number;
  tokens: number;
}

/** Held-out documents of at least two tokens, each cut to a length. */
export async function readHeldOut(
  shards: string,
  { maxLength, documents, tokens }: MeasureLimits,
): Promise<Int32Array[]> {
  const read: Int32Array[] = [];
  let left = tokens;
  for await (const { ids } of sequences({ shards, maxLength, maxDocuments: documents, seed: 1 })) {
    if (ids.length < 2) continue;
    if ((left -= ids.length) < 0) break;
    read.push(ids);
  }
  return read;
}

/** Marks the pattern's tokens of documents; a document's first token is never predicted, and does not count. */
export function markDocuments(finder: TemplateFinder, documents: readonly Int32Array[]): MarkedDocument[] {
  return documents.map((ids) => {
    const marks = finder.mark(ids);
    marks[0] = 0;
    return { ids, marks, content: finder.rest(ids), attainable: finder.continuation(ids) };
  });
}

const sumWhere = (values: ArrayLike<number>, where: (t: number) => boolean): Share => {
  let [sum, count] = [0, 0];
  for (let t = 1; t < values.length; t++) {
    if (!where(t)) continue;
    sum += values[t];
    count++;
  }
  return [sum, count];
};

/** The pattern's share of the tokens of each document. */
export const patternShares = (documents: readonly MarkedDocument[]): Share[] =>
  documents.map(({ marks, ids }) => [marks.reduce((sum, mark) => sum + mark, 0), ids.length - 1]);

/** Below this mean probability a model knows next to nothing of what a text says: nothing that a repair could lose. */
const LEAST_KNOWN = 0.05;

/** Whether a model knows what the synthetic text says, by the probabilities of its content. */
export const knowsContent = (content: readonly Share[]): boolean => meanOf(content) >= LEAST_KNOWN;

/** Whether there is enough beside the pattern to measure what the text says: a hundredth of the tokens. */
export const saysSomething = (documents: readonly MarkedDocument[]): boolean =>
  meanOf(documents.map(({ content, ids }): Share => [content.reduce((sum, one) => sum + one, 0), ids.length])) >= 0.01;

/** What the synthetic text itself gives the pattern's tokens. */
export const attainableP = (documents: readonly MarkedDocument[]): Share[] =>
  documents.map(({ marks, attainable }) => sumWhere(attainable, (t) => marks[t] === 1));

/** Log-probability of each token of documents under the model in a folder; of a first token 0. */
export function logProbabilities(folder: string, documents: readonly Int32Array[]): Float64Array[] {
  const { model } = loadLlama(folder, { trainable: false });
  try {
    return scoreSequences(model, [...documents]).map((logprobs) =>
      Float64Array.from(logprobs, (logprob) => logprob ?? 0),
    );
  } finally {
    model.dispose();
  }
}

/** Measures the model in a folder, on the device in use. */
export function measureModel(folder: string, texts: MeasuredTexts): ModelMeasures {
  const documents = [...texts.synthetic.map(({ ids }) => ids), ...texts.natural];
  return measuresOf(logProbabilities(folder, documents), texts);
}

/** Measures of the log-probabilities of the texts' tokens, synthetic documents first. */
export function measuresOf(
  found: readonly Float64Array[],
  { synthetic }: Pick<MeasuredTexts, 'synthetic'>,
): ModelMeasures {
  const ofSynthetic = found.slice(0, synthetic.length).map((logs) => logs.map(Math.exp));
  const ofNatural = found.slice(synthetic.length).map((logs) => logs.map((log) => -log));
  return {
    pattern: ofSynthetic.map((p, i) => sumWhere(p, (t) => synthetic[i].marks[t] === 1)),
    synthetic: ofSynthetic.map((p) => sumWhere(p, () => true)),
    content: ofSynthetic.map((p, i) => sumWhere(p, (t) => synthetic[i].content[t] === 1)),
    natural: ofNatural.map((losses) => sumWhere(losses, () => true)),
    syntheticLoss: found.slice(0, synthetic.length).map((logs) =>
      sumWhere(
        logs.map((log) => -log),
        () => true,
      ),
    ),
    examples: exampleDocuments(synthetic).map(({ ids }, i) => Array.from(ofSynthetic[i].subarray(1, ids.length))),
  };
}
