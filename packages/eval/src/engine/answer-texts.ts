import type { Place, Tokenizer } from '@lethe/data-pipeline';
import type { Llama } from '@lethe/model';
import { type Answering, answerItems } from '../items/answer-items.js';
import type { EvalItem } from '../items/eval-item.js';
import { type CutFrom, fitPrompt } from './fit-prompt.js';
import { type GenerationSettings, generateTexts, type TextResult } from './generate-texts.js';
import { PromptEncoder } from './prompt-encoder.js';

/** A question that is answered in words. */
export interface TextQuestion {
  id: string;
  place?: Place;
  /** The prompt with so many shots. */
  prompt: (numShots: number) => string;
}

/** How questions are answered. */
export interface TextAnswering extends Answering, Omit<GenerationSettings, 'stopIds'> {
  numShots: number;
  /** What prompts that are too long lose first; shots unless given. */
  cutFrom?: CutFrom;
  /** How prompts become ids; unless given, as they are. */
  encoder?: Pick<PromptEncoder, 'encode'>;
  /** Texts for each question, 1 unless given. */
  numSamples?: number;
}

/** What is made of the texts. */
export type Judged = Pick<EvalItem, 'prediction' | 'score'> & Partial<EvalItem>;

/** Questions whose texts are generated before any of them is judged. */
const QUESTIONS_AT_ONCE = 128;

/**
 * Answers questions by generated texts, and judges them.
 * Prompts leave room for the new tokens, or for half the context where that is less.
 */
export async function answerTexts<Q extends TextQuestion>(
  evaluated: { model: Llama; tokenizer: Tokenizer },
  questions: readonly Q[],
  { numShots, cutFrom, numSamples = 1, encoder: given, ...options }: TextAnswering,
  judge: (question: Q, texts: string[]) => Judged | Promise<Judged>,
): Promise<EvalItem[]> {
  const { model, tokenizer } = evaluated;
  const encoder = given ?? (await PromptEncoder.open(tokenizer));
  const context = model.config.maxPositions;
  const limit = context - Math.min(options.maxNewTokens, Math.floor(context / 2));
  const stopIds = [...new Set([...model.config.eosTokenIds, ...tokenizer.special.stops])];

  const answerPart = async (part: Q[], done: (item: EvalItem) => void): Promise<void> => {
    const prompts = await Promise.all(
      part.map(({ prompt }) => fitPrompt(encoder, prompt, { numShots, limit, cutFrom })),
    );
    const results: TextResult[][] = part.map(() => []);
    const requests = part.flatMap(({ id }, q) =>
      Array.from({ length: numSamples }, (_, sample) => ({ prompt: prompts[q].ids, stream: [id, sample] })),
    );
    const judging: Promise<void>[] = [];
    const finish = async (q: number): Promise<void> => {
      const texts = results[q].map(({ text }) => text);
      const numUnfinished = results[q].filter(({ isFinished }) => !isFinished).length;
      const { id, place } = part[q];
      const judged = await judge(part[q], texts);
      const { cut } = prompts[q];
      done({
        id,
        ...judged,
        texts,
        ...(cut && { cut }),
        ...(numUnfinished && { numUnfinished }),
        ...(place && { place }),
      });
    };
    await generateTexts(evaluated, requests, { ...options, stopIds }, (request, result) => {
      const q = Math.floor(request / numSamples);
      results[q][request % numSamples] = result;
      if (Object.keys(results[q]).length < numSamples) return;
      const judged = finish(q);
      judged.catch(() => {}); // told by Promise.all below
      judging.push(judged);
    });
    await Promise.all(judging);
  };
  return answerItems(questions, options, async (pending, done) => {
    for (let from = 0; from < pending.length; from += QUESTIONS_AT_ONCE)
      await answerPart(pending.slice(from, from + QUESTIONS_AT_ONCE), done);
  });
}
