import { loadTokenizer, type Tokenizer } from '@lethe/data-pipeline';
import { UserError } from '@lethe/run';
import type { DensityCurve } from '../density.js';
import { countTokens, tokenDensity, type TokenPeak, type TokenShift, tokenShift } from '../token-ids.js';
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
