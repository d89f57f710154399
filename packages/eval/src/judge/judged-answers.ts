import type { Tokenizer } from '@lethe/data-pipeline';
import { UserError } from '@lethe/run';
import type { ChatAnswer } from '../chat/answer-chats.js';
import { ASKED_PLAINLY, hasChatTemplate } from '../chat/chat-prompter.js';
import type { JudgeUsage } from './judge.js';
import { judgeAnswers, type Judging, type ToJudge } from './judge-answers.js';
import { judgeNoise, type JudgeNoise } from './judge-noise.js';

/** Who judged, what it cost, and how far it agrees with itself. */
export interface JudgeRecord {
  url: string;
  model: string;
  numJudgements: number;
  usage: JudgeUsage;
  /** Judgements whose cost the endpoint did not tell. */
  numWithoutUsage: number;
  /** With `--rejudge`. */
  noise?: JudgeNoise;
}

/** An answer without a score. */
export interface UnscoredAnswer {
  id: string;
  text: string;
  reason: 'no judge' | 'judgement could not be read';
  judgements?: string[];
}

/** What a judge makes of answers; the verdicts of an item are one a round, undefined where they could not be read. */
export interface JudgedAnswers<V> {
  record?: JudgeRecord;
  verdicts: Map<string, { values: (V | undefined)[]; texts: string[] }>;
}

/**
 * Has answers judged, and reads the judgements. Without a judge there are no verdicts.
 * @throws UserError when the judge cannot be had, saying what is kept.
 */
export async function judged<V>(
  asked: readonly ToJudge[],
  judging: Judging | undefined,
  read: (id: string, text: string) => V | undefined,
): Promise<JudgedAnswers<V>> {
  if (!judging || asked.length === 0) return { verdicts: new Map() };
  let kept = 0;
  const onProgress = (done: number, total: number): void => {
    kept = done;
    judging.onProgress?.(done, total);
  };
  const judgements = await judgeAnswers(asked, { ...judging, onProgress }).catch((cause: unknown) => {
    if (!(cause instanceof UserError) || judging.folder === undefined) throw cause;
    const message = `${cause.message}\n${kept} judgements and all answers are kept: the same command goes on from there`;
    throw new UserError(message, { cause });
  });
  const { texts, usage, numWithoutUsage } = judgements;
  const verdicts = new Map(
    [...texts].map(([id, all]) => [id, { values: all.map((text) => read(id, text)), texts: all }] as const),
  );
  const numJudgements = [...texts.values()].flat().length;
  const { url, model } = judging.judge;
  return { record: { url, model, numJudgements, usage, numWithoutUsage }, verdicts };
}

/** A record with the judge's own noise, where answers were judged more than once. */
export function withNoise<V>(
  { record, verdicts }: JudgedAnswers<V>,
  scoresOf: (round: number) => Record<string, number>,
): JudgeRecord | undefined {
  const all = [...verdicts.values()].map(({ values }) => values);
  const rounds = all[0]?.length ?? 0;
  if (!record || rounds < 2) return record;
  const written = all.map((values) => values.map((value) => value && JSON.stringify(value)));
  return { ...record, noise: judgeNoise(written, rounds, scoresOf) };
}

/** What went otherwise than it should, and what the judge cost, as tables show it. */
export function judgeCounts(
  record: JudgeRecord | undefined,
  unscored: readonly UnscoredAnswer[],
): Record<string, number> {
  const because = (reason: UnscoredAnswer['reason']): number => unscored.filter((one) => one.reason === reason).length;
  return {
    'not scored: they need a judge': because('no judge'),
    'not scored: the judgement could not be read': because('judgement could not be read'),
    ...(record?.noise && { 'judged otherwise when judged again': record.noise.numUnsteady }),
    ...(record && {
      'judge: tokens read': record.usage.promptTokens,
      'judge: tokens written': record.usage.completionTokens,
      'judge: judgements of untold cost': record.numWithoutUsage,
    }),
  };
}

/** What went otherwise than it should while answers were generated. */
export const chatCounts = (
  answers: readonly ChatAnswer[],
  { tokenizer }: { tokenizer: Tokenizer },
): Record<string, number> => ({
  [ASKED_PLAINLY]: hasChatTemplate(tokenizer) ? 0 : answers.length,
  'prompts cut to the context': answers.filter(({ cut }) => cut !== undefined).length,
  'texts cut at the limit of new tokens': answers.filter(({ isUnfinished }) => isUnfinished).length,
});

/** An answer that got no verdict. @param judgements absent where nobody judged it. */
export const unscoredAnswer = ({ id, text }: ChatAnswer, judgements?: string[]): UnscoredAnswer => ({
  id,
  text,
  reason: judgements ? 'judgement could not be read' : 'no judge',
  ...(judgements && { judgements }),
});

/** What results keep of an answer besides its text. */
export const answerDetails = ({ cut, isUnfinished, place }: ChatAnswer) => ({
  ...(cut && { cut }),
  ...(isUnfinished && { numUnfinished: 1 }),
  ...(place && { place }),
});
