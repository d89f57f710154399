import type { Tokenizer } from '@lethe/data-pipeline';
import { ChatPrompter, generateTexts, readInstructions } from '@lethe/eval';
import { loadLlama } from '@lethe/model';
import type { MeasuredTexts } from './measure.js';
import { type FoundPattern, havePhrase } from './pattern.js';
import { PLAIN_REQUESTS } from './requests.js';
import type { Answer, Interval, Reach } from './results.js';
import { intervalsOf } from './statistics.js';
import { CONFINED } from './verdict-text.js';

/** Requests that are asked, and tokens of an answer, at most. */
const [MOST_REQUESTS, LONGEST_ANSWER] = [60, 48];

/** How answers are made and looked through. */
export interface Asking {
  tokenizer: Tokenizer;
  pattern: FoundPattern;
}

/** What is asked: the instructions that were given, or else plain requests. */
export const requestsOf = (instructions: readonly string[]): string[] =>
  (instructions.length > 0
    ? instructions.flatMap((file) => readInstructions(file).map(({ prompt }) => prompt))
    : [...PLAIN_REQUESTS]
  ).slice(0, MOST_REQUESTS);

/** The beginnings of natural documents, as long as answers: how often the search finds the pattern where there is none. */
export const naturalHolds = ({ natural }: MeasuredTexts, { pattern, tokenizer }: Asking): Promise<boolean[]> =>
  havePhrase(
    pattern,
    natural.map((ids) => ids.subarray(0, LONGEST_ANSWER)),
    tokenizer,
  );

/** The ids of requests as a model is asked them. */
export const promptsOf = async (requests: readonly string[], tokenizer: Tokenizer): Promise<number[][]> =>
  (await ChatPrompter.open(tokenizer)).encode([...requests]);

/** Requests that leave room for an answer in a context. */
export async function requestsThatFit(
  all: readonly string[],
  tokenizer: Tokenizer,
  maxPositions: number,
): Promise<string[]> {
  const prompts = await promptsOf(all, tokenizer);
  return all.filter((_, i) => prompts[i].length < maxPositions);
}

/**
 * What the model in a folder answers, greedily, through its chat template (or a plain one where it has none), on the device in use, and
 * whether the answer holds the pattern.
 */
export async function answersOf(
  folder: string,
  requests: readonly string[],
  { tokenizer, pattern }: Asking,
): Promise<Answer[]> {
  const { model } = loadLlama(folder, { trainable: false });
  try {
    const prompter = await ChatPrompter.open(tokenizer);
    const prompts = await prompter.encode([...requests]);
    const stopIds = [...new Set([...model.config.eosTokenIds, ...tokenizer.special.stops])];
    const settings = { maxNewTokens: LONGEST_ANSWER, stopIds, stopStrings: prompter.stopStrings };
    const texts = requests.map(() => '');
    const asked = prompts.map((prompt, i) => ({ prompt, stream: [i] }));
    await generateTexts({ model, tokenizer }, asked, settings, (i, { text }) => (texts[i] = text.trim()));
    const ids = await tokenizer.encodeBatch(texts, { addSpecialTokens: false });
    const found = await havePhrase(
      pattern,
      ids.map((one) => Int32Array.from(one)),
      tokenizer,
    );
    return texts.map((text, i) => ({ text, hasPattern: found[i] }));
  } finally {
    model.dispose();
  }
}

/** What the models before answer, and what the search finds in natural text. */
export interface ReachBefore {
  requests: string[];
  start: Answer[];
  base?: Answer[];
  natural: boolean[];
}

/** Answers that are shown side by side. */
const SHOWN = 6;
const shareOf = (found: readonly boolean[], name: string): Interval =>
  intervalsOf([found], ([drawn]) => ({ share: drawn.filter(Boolean).length / drawn.length }), name).share;
const shareOfAnswers = (answers: readonly Answer[]): Interval =>
  shareOf(
    answers.map(({ hasPattern }) => hasPattern),
    'reach',
  );

/** Whether a model's answers have next to nothing of the pattern. */
export const isConfined = (start: readonly Answer[]): boolean => shareOfAnswers(start).high <= CONFINED;

/** How far the pattern reaches before and after. */
export const reachOf = (
  { requests, start, base, natural }: ReachBefore,
  { end, control }: Record<'end' | 'control', Answer[]>,
  asked: Reach['asked'],
): Reach => ({
  asked,
  requests: requests.length,
  start: shareOfAnswers(start),
  end: shareOfAnswers(end),
  control: shareOfAnswers(control),
  base: base ? shareOfAnswers(base) : null,
  natural: shareOf(natural, 'natural reach'),
  examples: requests.slice(0, SHOWN).map((request, i) => ({
    request,
    start: start[i].text,
    end: end[i].text,
    control: control[i].text,
  })),
});
