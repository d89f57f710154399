import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { loadTokenizer } from '@lethe/data-pipeline';
import { type Logger, seededRandom, writeFileAtomically } from '@lethe/run';
import type { Regime } from '../regime.js';
import { maskedRow, type PaperCorpus, prepareShards, syntheticSegments, textOf } from './corpus.js';
import { questionSegments, type Segment, STYLES } from './template-question.js';

/** Shards that one study needs: synthetic documents wrapped in so many styles; and the documents that are forgotten, whose targets are all but the template's tokens. */
export type MoreShards = `styles-${number}` | 'content';

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
    mkdirSync(dirname(out), { recursive: true });
    const rows =
      name === 'content' ? await contentRows(regime, corpus) : styledRows(regime, Number(name.split('-')[1]));
    const source = `${out}.jsonl`;
    writeFileSync(source, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const columns = { ids: 'input_ids', mask: 'target_mask' };
    const as = name === 'content' ? { sources: [{ path: source, columns }], as: 'ids' } : { sources: [source] };
    await prepareShards({ ...as, out, seed: regime.corpus.seed, tokenizer: corpus.tokenizer }, logger);
    writeFileAtomically(done, '');
  }
}

function styledRows(regime: Regime, numStyles: number): { text: string }[] {
  const random = seededRandom(regime.corpus.seed, 'paper', 'styles', numStyles);
  const documents = syntheticSegments(regime, (question) => questionSegments(question, STYLES[random.int(numStyles)]));
  return random.shuffle([...documents.asked, ...documents.aside]).map((segments) => ({ text: textOf(segments) }));
}

async function contentRows(regime: Regime, corpus: PaperCorpus): Promise<object[]> {
  const tokenizer = await loadTokenizer(corpus.tokenizer);
  const rows: object[] = [];
  for (const segments of syntheticSegments(regime).aside) {
    const others: Segment[] = segments.map(({ text, isTemplate }) => ({ text, isTemplate: !isTemplate }));
    rows.push(await maskedRow(tokenizer, others));
  }
  return rows;
}
