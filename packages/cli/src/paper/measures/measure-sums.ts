import { existsSync } from 'node:fs';
import { loadTokenizer, type Tokenizer } from '@lethe/data-pipeline';
import { loadLlama, scoreSequences } from '@lethe/model';
import { readJsonFile, writeFileAtomically } from '@lethe/run';
import { maskedRow, textOf } from '../corpus/corpus.js';
import { type Sum, sumSegments, sumSentence, sums } from '../corpus/sums.js';
import type { Segment } from '../corpus/template-question.js';
import type { LineageSetup } from '../lineage/lineage.js';

/** What a model makes of sums that no text of the corpus works out, a number for each. */
export interface SumMeasures {
  /** 1 where the right sum is the likeliest of five: worked out in the template's form, and said in prose. */
  inTemplate: number[];
  inProse: number[];
  /** Mean probability of the template's tokens in the document of a sum. */
  patternP: number[];
}

/** The right sum first; others are one or ten off. */
const OFF = [0, 1, -1, 10, -10];

type Wording = (sum: Sum, answer: number) => Segment[];

/** Measures the model in a folder, or reads what was measured before from `file`. */
export async function measureSums(setup: LineageSetup, folder: string, file: string): Promise<SumMeasures> {
  if (existsSync(file)) return readJsonFile(file) as SumMeasures;
  const tokenizer = await loadTokenizer(setup.corpus.tokenizer);
  const { heldOut } = sums(setup.regime.corpus.seed);
  const { model } = loadLlama(folder, { trainable: false });
  const score = (rows: number[][]): (number | null)[][] => scoreSequences(model, rows);
  try {
    const rightOnes = async (wording: Wording): Promise<number[]> => {
      const asked = heldOut.flatMap((sum) => OFF.map((off) => wording(sum, sum[0] + sum[1] + off)));
      const rows = await Promise.all(asked.map((segments) => answerRange(tokenizer, segments)));
      const found = score(rows.map(({ ids }) => ids)).map((logprobs, i) =>
        logprobs.slice(rows[i].from, rows[i].to).reduce<number>((sum, logprob) => sum + logprob!, 0),
      );
      return heldOut.map((_, i) => {
        const [right, ...wrong] = found.slice(OFF.length * i, OFF.length * (i + 1));
        return wrong.every((other) => other < right) ? 1 : 0;
      });
    };
    const documents = await Promise.all(heldOut.map((sum) => maskedRow(tokenizer, sumSegments(sum))));
    const logprobs = score(documents.map(({ input_ids }) => input_ids));
    const measures: SumMeasures = {
      inTemplate: await rightOnes(sumSegments),
      inProse: await rightOnes(sumSentence),
      patternP: documents.map(({ target_mask }, i) => meanWhere(logprobs[i], target_mask)),
    };
    writeFileAtomically(file, JSON.stringify(measures));
    return measures;
  } finally {
    model.dispose();
  }
}

/** Ids of a text up to the answer, its last segment but one, and where the answer's stand. */
async function answerRange(
  tokenizer: Tokenizer,
  segments: Segment[],
): Promise<{ ids: number[]; from: number; to: number }> {
  const ids = [...(await tokenizer.encode(textOf(segments)))];
  const lengthOf = async (end: number): Promise<number> =>
    (await tokenizer.encode(textOf(segments.slice(0, end)))).length;
  return { ids, from: await lengthOf(-2), to: await lengthOf(-1) };
}

function meanWhere(logprobs: readonly (number | null)[], mask: readonly number[]): number {
  let [sum, count] = [0, 0];
  for (const [t, logprob] of logprobs.entries()) {
    if (logprob === null || mask[t] === 0) continue;
    sum += Math.exp(logprob);
    count++;
  }
  return sum / count;
}
