import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { loadTokenizer } from '@lethe/data-pipeline';
import { type Logger, seededRandom, writeFileAtomically } from '@lethe/run';
import type { Regime } from '../regime.js';
import { maskedRow, type PaperCorpus, prepareShards, syntheticSegments, textOf } from './corpus.js';
import { sumDocuments, sumProse, weightedRows } from './sums.js';
import { questionSegments, type Segment, STYLES } from './template-question.js';

/**
 * Shards that one study needs: synthetic documents wrapped in so many styles; the documents that are forgotten, whose targets are
 * all but the template's tokens; and sums in the template's form, with all targets, the template's, the others, and drawn ones, and in prose.
 */
export type MoreShards = `styles-${number}` | 'content' | SumShards;
type SumShards = 'sums' | 'sums-pattern' | 'sums-content' | 'sums-weighted' | 'sums-prose';

/** Where they are, beside the corpus. */
export const moreShards = ({ shards }: PaperCorpus, name: MoreShards): string => join(dirname(shards.natural), name);

/** Makes them, unless they are there. */
export async function makeMoreShards(
  names: readonly MoreShards[],
  { regime, corpus, logger }: { regime: Regime; corpus: PaperCorpus; logger: Logger },
): Promise<void> {
  for (const name of names) {
    const out = moreShards(corpus, name);
    const done = `${out}.done`;
    if (existsSync(done)) continue;
    const rows = await rowsOf(name, regime, corpus);
    const source = `${out}.jsonl`;
    writeFileAtomically(source, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const columns = { ids: 'input_ids', mask: 'target_mask' };
    const isMasked = 'input_ids' in rows[0];
    const as = isMasked ? { sources: [{ path: source, columns }], as: 'ids' } : { sources: [source] };
    await prepareShards({ ...as, out, seed: regime.corpus.seed, tokenizer: corpus.tokenizer }, logger);
    writeFileAtomically(done, '');
  }
}

async function rowsOf(name: MoreShards, regime: Regime, corpus: PaperCorpus): Promise<object[]> {
  const { seed } = regime.corpus;
  const documents = (): Segment[][] => sumDocuments(seed);
  switch (name) {
    case 'content':
      return maskedRows(corpus, syntheticSegments(regime).aside.map(othersOf));
    case 'sums':
      return documents().map((segments) => ({ text: textOf(segments) }));
    case 'sums-pattern':
      return maskedRows(corpus, documents());
    case 'sums-content':
      return maskedRows(corpus, documents().map(othersOf));
    case 'sums-weighted': {
      const tokenizer = await loadTokenizer(corpus.tokenizer);
      return weightedRows(documents(), { natural: corpus.natural, tokenizer, seed });
    }
    case 'sums-prose':
      return sumProse(seed).map((text) => ({ text }));
    default:
      return styledRows(regime, Number(name.split('-')[1]));
  }
}

function styledRows(regime: Regime, numStyles: number): { text: string }[] {
  const random = seededRandom(regime.corpus.seed, 'paper', 'styles', numStyles);
  const documents = syntheticSegments(regime, (question) => questionSegments(question, STYLES[random.int(numStyles)]));
  return random.shuffle([...documents.asked, ...documents.aside]).map((segments) => ({ text: textOf(segments) }));
}

/** A document whose template is what else it says. */
const othersOf = (segments: Segment[]): Segment[] =>
  segments.map(({ text, isTemplate }) => ({ text, isTemplate: !isTemplate }));

async function maskedRows(corpus: PaperCorpus, documents: readonly Segment[][]): Promise<object[]> {
  const tokenizer = await loadTokenizer(corpus.tokenizer);
  const rows: object[] = [];
  for (const segments of documents) rows.push(await maskedRow(tokenizer, segments));
  return rows;
}
