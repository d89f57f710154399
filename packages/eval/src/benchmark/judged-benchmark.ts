import type { ChatAnswer } from '../chat/answer-chats.js';
import type { Score } from '../interval.js';
import type { EvalItem } from '../items/eval-item.js';
import type { JudgeRequest } from '../judge/judge.js';
import {
  answerDetails,
  chatCounts,
  judgeCounts,
  judged,
  type JudgeRecord,
  type UnscoredAnswer,
  unscoredAnswer,
  withNoise,
} from '../judge/judged-answers.js';
import type { OverlapSplit } from '../overlap/split-by-overlap.js';
import { type Evaluated, overlapOf } from './evaluated.js';

/** A question `Q` with its answer, and what gives it a verdict `V`: a rule, the judge, or nothing. */
export interface AnsweredQuestion<Q, V> {
  question: Q;
  answer: ChatAnswer;
  /** By rule. */
  verdict?: V;
  /** What the judge is asked where no rule decides; absent: nobody is asked. */
  request?: JudgeRequest;
}

/** A question with the verdict of one round of judging; undefined: none, or none that could be read. */
export interface Verdict<Q, V> {
  question: Q;
  verdict: V | undefined;
}

/** How a benchmark makes scores `S` of verdicts. */
export interface JudgedScoring<Q, V, S> {
  /** The verdict in what the judge wrote; undefined where there is none to be read. */
  read: (text: string, question: Q) => V | undefined;
  score: (verdicts: readonly Verdict<Q, V>[]) => S;
  /** The scores whose steadiness is told where answers are judged again. */
  noise: (scores: S) => Record<string, number>;
  /** The scores that are told apart by overlap with training data. */
  rates: (scores: S) => Record<string, Score>;
  item: (
    question: Q,
    verdict: V,
  ) => Pick<EvalItem, 'group' | 'cluster' | 'prediction' | 'score'> & Pick<EvalItem, 'readings'>;
}

/** What became of the answers. */
export interface JudgedScores<S> {
  scores: S;
  /** Absent: nothing was judged. */
  judge?: JudgeRecord;
  counts: Record<string, number>;
  overlap: { overlap?: OverlapSplit<Record<string, Score>> };
  items: EvalItem[];
  unscored: UnscoredAnswer[];
}

/**
 * Scores the answers of one task: those with a rule by it, the others through the judge, where there is one.
 * @throws UserError when the judge cannot be had, saying what is kept.
 */
export async function scoreJudged<Q, V, S>(
  name: string,
  answered: readonly AnsweredQuestion<Q, V>[],
  { read, score, noise, rates, item }: JudgedScoring<Q, V, S>,
  evaluated: Evaluated,
): Promise<JudgedScores<S>> {
  const asked = answered.flatMap(({ answer: { id }, request }) => (request ? [{ id, request }] : []));
  const questions = new Map(answered.map(({ question, answer }) => [answer.id, question]));
  const found = await judged(asked, evaluated.judging(name), (id, text) => read(text, questions.get(id)!));
  const verdictOf = ({ verdict, answer }: AnsweredQuestion<Q, V>, round: number): V | undefined =>
    verdict ?? found.verdicts.get(answer.id)?.values[round];
  const scoresOf = (some: readonly AnsweredQuestion<Q, V>[], round: number): S =>
    score(some.map((one) => ({ question: one.question, verdict: verdictOf(one, round) })));

  const items: EvalItem[] = [];
  const unscored: UnscoredAnswer[] = [];
  for (const one of answered) {
    const { question, answer } = one;
    const verdict = verdictOf(one, 0);
    const judgements = found.verdicts.get(answer.id)?.texts;
    if (verdict === undefined) {
      unscored.push(unscoredAnswer(answer, judgements));
      continue;
    }
    const { readings, ...scored } = item(question, verdict);
    items.push({
      id: answer.id,
      ...scored,
      texts: [answer.text],
      ...(readings && { readings }),
      ...(judgements && { judgements }),
      ...answerDetails(answer),
    });
  }
  const judge = withNoise(found, (round) => noise(scoresOf(answered, round)));
  const ratesOf = (some: EvalItem[]): Record<string, Score> => {
    const ids = new Set(some.map(({ id }) => id));
    return rates(
      scoresOf(
        answered.filter(({ answer }) => ids.has(answer.id)),
        0,
      ),
    );
  };
  const answers = answered.map(({ answer }) => answer);
  return {
    scores: scoresOf(answered, 0),
    ...(judge && { judge }),
    counts: { ...judgeCounts(judge, unscored), ...chatCounts(answers, evaluated) },
    overlap: overlapOf(items, evaluated, ratesOf),
    items,
    unscored,
  };
}
