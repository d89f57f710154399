import * as tf from '@tensorflow/tfjs-core';
import type { Tokenizer } from '@lethe/data-pipeline';
import { UserError } from '@lethe/run';
import { disposeBatch, type Llama, rowsOfSequences, toTokenBatch } from '@lethe/model';
import { embedding, noGrad, scope } from '@lethe/tensor';
import { type Score, wilson } from '../interval.js';
import type { ChoiceSubject } from './mmlu-files.js';
import { mmluPrefix, mmluQuestion } from './mmlu-prompt.js';

/** What one question got. */
export interface ChoiceOutcome {
  subject: string;
  index: number;
  /** Log-probability of ` A` .. ` D` as the next token. */
  logprobs: number[];
  chosen: number;
  isRight: boolean;
}

/** Accuracy over all questions (micro) and the plain mean over subjects (macro). */
export interface ChoiceScores {
  micro: Score;
  macro: number;
  bySubject: { subject: string; accuracy: Score }[];
  /** Questions whose prompt lost shots, or its start, because it exceeded the model's context. */
  numShortened: number;
  outcomes: ChoiceOutcome[];
}

/** The ids that ` A` .. ` D` end in; the last token where the letter takes several. */
async function letterIds(tokenizer: Tokenizer): Promise<number[]> {
  const texts = ['A', 'B', 'C', 'D'].map((letter) => `Answer: ${letter}`);
  const ids = (await tokenizer.encodeBatch(texts, { addSpecialTokens: false })).map((whole) => whole[whole.length - 1]);
  if (new Set(ids).size !== 4)
    throw new UserError('the tokenizer does not tell " A", " B", " C" and " D" apart by one token');
  return ids;
}

/** The prompt's ids within the context, with as many shots as fit; a question that is too long by itself loses its start. */
async function encodePrompt(
  tokenizer: Tokenizer,
  subject: ChoiceSubject,
  at: { index: number; numShots: number; context: number },
): Promise<{ ids: number[]; shortened: boolean }> {
  for (let shots = at.numShots; shots >= 0; shots--) {
    const text = mmluPrefix(subject, shots) + mmluQuestion(subject.questions[at.index]);
    const ids = [...(await tokenizer.encode(text, { addSpecialTokens: true }))];
    if (ids.length <= at.context) return { ids, shortened: shots < at.numShots };
    if (shots === 0) return { ids: ids.slice(-at.context), shortened: true };
  }
  throw new RangeError(`expected numShots >= 0, received ${at.numShots}`);
}

/** Log-probabilities [prompts][candidates] of candidate ids as the next token. */
function nextTokenLogprobs(model: Llama, prompts: number[][], candidates: number[]): number[][] {
  const rows = rowsOfSequences(prompts);
  const batch = toTokenBatch(rows, model.config.slidingWindow);
  const ends = tf.tensor1d(
    Int32Array.from(prompts, (prompt, r) => r * rows.rowLength + prompt.length - 1),
    'int32',
  );
  const logits = noGrad(() => scope(() => model.logits(embedding(ends, model.hidden(batch)))));
  const values = logits.dataSync() as Float32Array;
  tf.dispose([logits, ends]);
  disposeBatch(batch);
  const V = model.config.vocabSize;
  return prompts.map((_, r) => {
    const row = values.subarray(r * V, (r + 1) * V);
    const top = row.reduce((a, b) => Math.max(a, b));
    const lse = top + Math.log(row.reduce((sum, z) => sum + Math.exp(z - top), 0));
    return candidates.map((id) => row[id] - lse);
  });
}

/** Scores MMLU-shaped subjects: the most likely of ` A` .. ` D` after `Answer:`. */
export async function scoreChoices(
  model: Llama,
  tokenizer: Tokenizer,
  subjects: readonly ChoiceSubject[],
  options: { numShots: number; batchRows?: number },
): Promise<ChoiceScores> {
  const { numShots, batchRows = 16 } = options;
  const candidates = await letterIds(tokenizer);
  const outcomes: ChoiceOutcome[] = [];
  let numShortened = 0;
  for (const subject of subjects) {
    const context = model.config.maxPositions;
    const prompts = await Promise.all(
      subject.questions.map((_, index) => encodePrompt(tokenizer, subject, { index, numShots, context })),
    );
    numShortened += prompts.filter(({ shortened }) => shortened).length;
    for (let from = 0; from < prompts.length; from += batchRows) {
      const part = prompts.slice(from, from + batchRows).map(({ ids }) => ids);
      nextTokenLogprobs(model, part, candidates).forEach((logprobs, i) => {
        const chosen = logprobs.indexOf(Math.max(...logprobs));
        const isRight = chosen === subject.questions[from + i].answer;
        outcomes.push({ subject: subject.name, index: from + i, logprobs, chosen, isRight });
      });
    }
  }
  const accuracy = (subset: ChoiceOutcome[]): Score =>
    wilson(subset.filter(({ isRight }) => isRight).length, subset.length);
  const bySubject = subjects.map(({ name }) => ({
    subject: name,
    accuracy: accuracy(outcomes.filter(({ subject }) => subject === name)),
  }));
  const macro = bySubject.reduce((sum, { accuracy: score }) => sum + score.value, 0) / bySubject.length;
  return { micro: accuracy(outcomes), macro, bySubject, numShortened, outcomes };
}
