import {
  countTokens,
  type DensityCurve,
  tokenDensity,
  type TokenPeak,
  type TokenShift,
  tokenShift,
} from '@lethe/analysis';
import { loadTokenizer, type Tokenizer } from '@lethe/data-pipeline';
import { UserError } from '@lethe/run';
import { legend } from '../report/axes.js';
import { curvesSvg } from '../report/density-svg.js';
import { escapeHtml, htmlTable } from '../report/html.js';
import { type ReadLimits, readSequences } from './read-sequences.js';

/** The token ids of synthetic text beside those of natural text. */
export interface TokenDiagnosis extends Omit<TokenShift, 'peaks'> {
  synthetic: string;
  natural: string;
  peaks: (TokenPeak & { text: string })[];
  /** Densities over the ids. */
  curves: Record<'synthetic' | 'natural', DensityCurve>;
}

async function countsOf(shards: string, tokenizer: Tokenizer, limits: ReadLimits): Promise<Float64Array> {
  const documents = await readSequences(shards, tokenizer, limits);
  if (documents.length === 0)
    throw new UserError(`${shards}: no document of more than one token to count the tokens of`);
  return countTokens(documents, tokenizer.vocabSize);
}

/** Compares the token ids of two shard folders that the tokenizer in `folder` made. */
export async function diagnoseTokenIds(
  folder: string,
  { synthetic, natural }: Record<'synthetic' | 'natural', string>,
  limits: ReadLimits,
): Promise<TokenDiagnosis> {
  const tokenizer = await loadTokenizer(folder);
  const [counts, reference] = [
    await countsOf(synthetic, tokenizer, limits),
    await countsOf(natural, tokenizer, limits),
  ];
  const { peaks, ...shift } = tokenShift(counts, reference);
  const texts = await tokenTexts(
    tokenizer,
    peaks.map(({ id }) => id),
  );
  const curves = { synthetic: tokenDensity(counts), natural: tokenDensity(reference) };
  return { synthetic, natural, ...shift, peaks: peaks.map((peak, i) => ({ ...peak, text: texts[i] })), curves };
}

/** What tokens stand for in the middle of a text, where a leading space is kept. */
async function tokenTexts(tokenizer: Tokenizer, ids: number[]): Promise<string[]> {
  const [before] = await tokenizer.encodeBatch(['a'], { addSpecialTokens: false });
  const start = (await tokenizer.decode(before)).length;
  return Promise.all(ids.map(async (id) => (await tokenizer.decode([...before, id])).slice(start)));
}

/** The header of {@link tokenRows}. */
export const TOKEN_HEADER = ['token', 'id', '% of synthetic', '% of natural', 'excess, nats'];

const percent = (share: number): string => (100 * share).toFixed(3);

/** A row for each peak. */
export function tokenRows({ peaks }: TokenDiagnosis): string[][] {
  return peaks.map(({ text, id, share, referenceShare, excess }) => [
    JSON.stringify(text.replaceAll(' ', '␣')),
    String(id),
    percent(share),
    percent(referenceShare),
    excess.toFixed(4),
  ]);
}

/** What the two texts have apart, in a sentence. */
export function tokenSummary(diagnosis: TokenDiagnosis): string {
  const { synthetic, natural, numTokens, numReferenceTokens, jensenShannon, totalVariation } = diagnosis;
  return (
    `token ids of ${synthetic} (${numTokens} tokens) beside ${natural} (${numReferenceTokens}): ` +
    `Jensen-Shannon divergence ${jensenShannon.toFixed(3)} bits, total variation ${totalVariation.toFixed(3)}`
  );
}

/** Densities and the peaks' tokens as HTML. */
export function tokenSection(diagnosis: TokenDiagnosis): string {
  const { synthetic, natural, curves } = diagnosis;
  const named = [
    { name: synthetic, curve: curves.synthetic },
    { name: natural, curve: curves.natural },
  ];
  const to = curves.synthetic.x.at(-1)!;
  const table = htmlTable(
    TOKEN_HEADER,
    tokenRows(diagnosis).map((row) => row.map(escapeHtml)),
  );
  return (
    `<h2>Token ids</h2><p>${escapeHtml(tokenSummary(diagnosis))}.</p>` +
    legend(named.map(({ name }) => name)) +
    curvesSvg(named, { from: 0, to, label: 'token id' }) +
    `<h3>Tokens that the synthetic text uses most beyond its natural share</h3>${table}`
  );
}
