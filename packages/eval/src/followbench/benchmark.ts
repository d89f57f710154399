import { answerChats, type ChatAnswer } from '../chat/answer-chats.js';
import { readFollowBench } from './follow-files.js';
import { FOLLOW_CATEGORIES, type FollowItem } from './follow-item.js';
import { followRequest, readFollowVerdict } from './follow-judging.js';
import { followsRule, isRuleChecked } from './follow-rules.js';
import { type FollowScores, isHard, scoreFollow, softShare } from './score-follow.js';
import type { Score } from '../interval.js';
import type { EvalItem } from '../items/eval-item.js';
import type { EvalTaskOf } from '../evaluation/eval-recipe.js';
import { type Evaluated, overlapOf } from '../evaluation/evaluated.js';
import {
  answerDetails,
  chatCounts,
  judgeCounts,
  judged,
  type JudgedAnswers,
  type UnscoredAnswer,
  unscoredAnswer,
  withNoise,
} from '../judge/judged-answers.js';
import type { Measure, TaskResult } from '../evaluation/task-result.js';

/** The first so many groups of each category. */
function firstGroups(items: FollowItem[], count: number | undefined): FollowItem[] {
  return FOLLOW_CATEGORIES.flatMap((category) => {
    const own = items.filter((item) => item.category === category);
    const groups = new Set([...new Set(own.map(({ group }) => group))].slice(0, count));
    return own.filter(({ group }) => groups.has(group));
  });
}

const word = (isSatisfied: boolean): string => (isSatisfied ? 'YES' : 'NO');

/** A scored item: its score is the soft one, its readings are both. */
function itemOf(item: FollowItem, answer: ChatAnswer, satisfied: boolean[], judgements?: string[]): EvalItem {
  const prediction = satisfied.map(word).join(' ');
  const soft = softShare(satisfied);
  return {
    id: item.id,
    group: item.category,
    cluster: item.group,
    prediction,
    score: soft,
    texts: [answer.text],
    readings: { HSR: { prediction, score: isHard(satisfied) ? 1 : 0 }, SSR: { prediction, score: soft } },
    ...(judgements && { judgements }),
    ...answerDetails(answer),
  };
}

function measuresOf(scores: FollowScores, isWhole: boolean): Measure[] {
  const part = isWhole ? '' : ', rule-checked items only';
  return [
    { name: `HSR %${part}`, score: scores.hsr },
    { name: `SSR %${part}`, score: scores.ssr },
    { name: `CSL (levels)${part}`, score: scores.csl, unit: 'plain' },
    ...scores.byLevel.flatMap(({ level, hsr, ssr }) => [
      { name: `HSR %, level ${level}${part}`, score: hsr },
      { name: `SSR %, level ${level}${part}`, score: ssr },
    ]),
    ...scores.byCategory.flatMap(({ category, hsr, ssr, csl }) => [
      { name: `HSR %, ${category}${part}`, score: hsr },
      { name: `SSR %, ${category}${part}`, score: ssr },
      { name: `CSL (levels), ${category}${part}`, score: csl, unit: 'plain' as const },
    ]),
  ];
}

/** An item with its answer, and what rules or the judge make of it. */
interface Followed {
  item: FollowItem;
  answer: ChatAnswer;
  /** In a round of judging; undefined: not scored. */
  satisfied: (round: number) => boolean[] | undefined;
  judgements?: string[];
}

const scoresOf = (followed: readonly Followed[], round: number): FollowScores =>
  scoreFollow(followed.map(({ item, satisfied }) => ({ item, satisfied: satisfied(round) })));

/** Answers the items, and has those judged that have no rule. */
async function follow(
  items: readonly FollowItem[],
  task: EvalTaskOf<'followbench'>,
  evaluated: Evaluated,
): Promise<{ followed: Followed[]; judgedAnswers: JudgedAnswers<boolean[]> }> {
  const { name, language, maxNewTokens } = task;
  const questions = items.map(({ id, instruction, place }) => ({
    id,
    turns: [{ role: 'user' as const, content: instruction }],
    place,
  }));
  const answers = await answerChats(evaluated, questions, { maxNewTokens, ...evaluated.answering(task, items) });
  const asked = items.flatMap((item, i) => {
    if (isRuleChecked(item, language)) return [];
    return [{ id: item.id, request: followRequest(item, answers[i].text, language) }];
  });
  const levels = new Map(items.map(({ id, level }) => [id, level]));
  const judgedAnswers = await judged(asked, evaluated.judging(name), (id, text) =>
    readFollowVerdict(text, levels.get(id)!),
  );
  const followed = items.map((item, i): Followed => {
    const answer = answers[i];
    if (isRuleChecked(item, language))
      return { item, answer, satisfied: () => [followsRule(item, answer.text, language)] };
    const verdict = judgedAnswers.verdicts.get(item.id);
    return { item, answer, satisfied: (round) => verdict?.values[round], judgements: verdict?.texts };
  });
  return { followed, judgedAnswers };
}

/** Scores FollowBench: items with rules by them, the others through the judge, where there is one. */
export async function runFollowBenchTask(task: EvalTaskOf<'followbench'>, evaluated: Evaluated): Promise<TaskResult> {
  const { name, language } = task;
  const items = firstGroups(await readFollowBench(task.data), task.maxGroups);
  const { followed, judgedAnswers } = await follow(items, task, evaluated);
  const scored: EvalItem[] = [];
  const unscored: UnscoredAnswer[] = [];
  for (const { item, answer, satisfied, judgements } of followed) {
    const found = satisfied(0);
    if (found) scored.push(itemOf(item, answer, found, judgements));
    else unscored.push(unscoredAnswer(answer, judgements));
  }
  const scores = scoresOf(followed, 0);
  const judge = withNoise(judgedAnswers, (round) => {
    const { hsr, ssr } = scoresOf(followed, round);
    return { HSR: hsr.value, SSR: ssr.value };
  });
  const isWhole = unscored.every(({ reason }) => reason !== 'no judge');
  if (!isWhole)
    evaluated.warn(
      `${name}: ${unscored.length} of ${items.length} items need a judge and are not scored; ` +
        'the same command with --judge-url and --judge-model scores them, from the answers that are kept',
    );
  const rates = (some: EvalItem[]): Record<string, Score> => {
    const ids = new Set(some.map(({ id }) => id));
    const { hsr, ssr } = scoresOf(
      followed.filter(({ item }) => ids.has(item.id)),
      0,
    );
    return { hsr, ssr };
  };
  const answers = followed.map(({ answer }) => answer);
  return {
    kind: 'followbench',
    name,
    protocol: language,
    average: 'macro',
    compares: ['HSR', 'SSR'],
    measures: measuresOf(scores, isWhole),
    counts: { ...judgeCounts(judge, unscored), ...chatCounts(answers, evaluated) },
    ...overlapOf(scored, evaluated, rates),
    ...(judge && { judge }),
    scores,
    items: scored,
    unscored,
  };
}
