import { existsSync } from 'node:fs';
import {
  countTokens,
  documentEmbeddings,
  ownNeighbourShares,
  type Points,
  separability,
  squaredDistances,
  tokenDensity,
  tokenShift,
  tsne,
} from '@lethe/analysis';
import { loadTokenizer, type Tokenizer } from '@lethe/data-pipeline';
import { loadLlama } from '@lethe/model';
import { type Random, readJsonFile, seededRandom, writeFileAtomically } from '@lethe/run';
import { type Pair, PAIRS } from '../corpus/compared-texts.js';
import type { PaperCorpus } from '../corpus/corpus.js';
import type { Regime } from '../regime.js';

/** How far texts lie apart, to a base model that has seen none of them, and by their tokens alone. */
export interface TextMeasures {
  /** Share of each document's ten nearest neighbours that are of its own kind. */
  ownNeighbours: Record<Pair, number[]>;
  /** Area under the curve of a linear classifier, on documents that it was not made of. */
  separability: Record<Pair, number>;
  /** Jensen-Shannon divergence of the token ids, in bits. */
  divergence: Record<Pair, number>;
  /** Tokens whose excess in synthetic over natural text no token reaches in 95% of random halves of the natural text. */
  peaks: { text: string; share: number; naturalShare: number; excess: number }[];
  /** That largest excess of the halves, in nats. */
  largestByChance: number;
  /** t-SNE of synthetic documents, then of as many natural ones. */
  layout: [number, number][];
  curves: Record<'synthetic' | 'natural', { x: number[]; y: number[] }>;
}

const NUM_HALVINGS = 200;

/** Ids of the documents that are compared. */
async function sample(
  { texts, rowLength }: Regime,
  corpus: PaperCorpus,
  tokenizer: Tokenizer,
  random: Random,
): Promise<Record<Pair, [number[][], number[][]]>> {
  const compared = corpus.compared(texts.numDocuments, random);
  const ids = async (documents: string[]): Promise<number[][]> =>
    (await tokenizer.encodeBatch(documents)).map((one) => [...one].slice(0, rowLength));
  const both = async (pair: Pair): Promise<[Pair, [number[][], number[][]]]> => {
    const [one, other] = compared[pair];
    return [pair, [await ids(one), await ids(other)]];
  };
  return Object.fromEntries(await Promise.all(PAIRS.map(both))) as Record<Pair, [number[][], number[][]]>;
}

/** Measures the texts with the base model in a folder, or reads what was measured before from `file`. */
export async function measureTexts(
  { regime, corpus, seed }: { regime: Regime; corpus: PaperCorpus; seed: number },
  base: string,
  file: string,
): Promise<TextMeasures> {
  if (existsSync(file)) return readJsonFile(file) as TextMeasures;
  const tokenizer = await loadTokenizer(corpus.tokenizer);
  const random = seededRandom(seed, 'paper', 'texts');
  const pairs = await sample(regime, corpus, tokenizer, random);
  const { model } = loadLlama(base, { trainable: false });
  const embedded = Object.fromEntries(
    PAIRS.map((pair) => [pair, documentEmbeddings(model, pairs[pair].flat(), { maxLength: regime.rowLength })]),
  ) as Record<Pair, Points>;
  model.dispose();
  const of = <T>(make: (pair: Pair) => T): Record<Pair, T> =>
    Object.fromEntries(PAIRS.map((pair) => [pair, make(pair)])) as Record<Pair, T>;
  const isFirst = (pair: Pair): boolean[] => pairs[pair].flatMap((group, g) => group.map(() => g === 0));
  const V = tokenizer.vocabSize;
  const counts = of((pair) => pairs[pair].map((group) => countTokens(group, V)));
  const plane = tsne(embedded.synthetic);
  const measures: TextMeasures = {
    ownNeighbours: of((pair) => ownNeighbourShares(squaredDistances(embedded[pair]), isFirst(pair))),
    separability: of((pair) => separability(embedded[pair], isFirst(pair))),
    divergence: of((pair) => tokenShift(counts[pair][0], counts[pair][1]).jensenShannon),
    ...(await peaksOf(counts.synthetic, pairs.halves.flat(), { tokenizer, random })),
    layout: isFirst('synthetic').map((_, i) => [plane[2 * i], plane[2 * i + 1]]),
    curves: { synthetic: tokenDensity(counts.synthetic[0]), natural: tokenDensity(counts.synthetic[1]) },
  };
  writeFileAtomically(file, JSON.stringify(measures));
  return measures;
}

/** The tokens that stand out of what random halves of the natural text show. */
async function peaksOf(
  [synthetic, natural]: Float64Array[],
  documents: number[][],
  { tokenizer, random }: { tokenizer: Tokenizer; random: Random },
): Promise<Pick<TextMeasures, 'peaks' | 'largestByChance'>> {
  const largest = Array.from({ length: NUM_HALVINGS }, () => {
    const shuffled = random.shuffle([...documents]);
    const half = shuffled.length / 2;
    const [a, b] = [shuffled.slice(0, half), shuffled.slice(half)].map((some) => countTokens(some, synthetic.length));
    return tokenShift(a, b, { numPeaks: 1 }).peaks[0].excess;
  }).sort((x, y) => x - y);
  const largestByChance = largest[Math.ceil(0.95 * NUM_HALVINGS) - 1];
  const { peaks } = tokenShift(synthetic, natural, { numPeaks: synthetic.length });
  const found = peaks.filter(({ id, excess }) => excess > largestByChance && tokenizer.specialText(id) === undefined);
  return {
    largestByChance,
    peaks: await Promise.all(
      found.map(async ({ id, share, referenceShare, excess }) => ({
        text: await tokenizer.decode([id]),
        share,
        naturalShare: referenceShare,
        excess,
      })),
    ),
  };
}
