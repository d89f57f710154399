import {
  answerChats,
  type ChatAnswer,
  type EvalItem,
  FOLLOW_CATEGORIES,
  type FollowItem,
  followRequest,
  type FollowScores,
  followsRule,
  isHard,
  isRuleChecked,
  readFollowBench,
  readFollowVerdict,
  type Score,
  scoreFollow,
  softShare,
} from '@lethe/eval';
import type { EvalTaskOf } from './eval-recipe.js';
import { type Evaluated, overlapOf } from './evaluated.js';
import { answerDetails, chatCounts, judgeCounts, judged, type UnscoredAnswer, withNoise } from './judged-answers.js';
import type { Measure, TaskResult } from './task-result.js';

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

/** Scores FollowBench: items with rules by them, the others through the judge, where there is one. */
export async function runFollowBenchTask(task: EvalTaskOf<'followbench'>, evaluated: Evaluated): Promise<TaskResult> {
  const { name, language, maxNewTokens } = task;
  const items = firstGroups(await readFollowBench(task.data), task.maxGroups);
  const byId = new Map(items.map((item) => [item.id, item]));
  const questions = items.map(({ id, instruction, place }) => ({
    id,
    turns: [{ role: 'user' as const, content: instruction }],
    place,
  }));
  const answers = await answerChats(evaluated, questions, { maxNewTokens, ...evaluated.answering(task, items) });
  const answerOf = new Map(answers.map((answer) => [answer.id, answer]));
  const toJudge = items.filter((item) => !isRuleChecked(item, language));
  const asked = toJudge.map((item) => ({
    id: item.id,
    request: followRequest(item, answerOf.get(item.id)!.text, language),
  }));
  const judgedAnswers = await judged(asked, evaluated.judging(name), (id, text) =>
    readFollowVerdict(text, byId.get(id)!.level),
  );
  const { verdicts } = judgedAnswers;
  const satisfiedIn = (item: FollowItem, round: number): boolean[] | undefined =>
    isRuleChecked(item, language)
      ? [followsRule(item, answerOf.get(item.id)!.text, language)]
      : verdicts.get(item.id)?.values[round];
  const outcomes = (some: FollowItem[], round: number) =>
    some.map((item) => ({ item, satisfied: satisfiedIn(item, round) }));

  const scored: EvalItem[] = [];
  const unscored: UnscoredAnswer[] = [];
  for (const item of items) {
    const satisfied = satisfiedIn(item, 0);
    const judgements = verdicts.get(item.id)?.texts;
    const answer = answerOf.get(item.id)!;
    const reason = judgements ? 'judgement could not be read' : 'no judge';
    if (satisfied) scored.push(itemOf(item, answer, satisfied, judgements));
    else unscored.push({ id: item.id, text: answer.text, reason, ...(judgements && { judgements }) });
  }
  const scores = scoreFollow(outcomes(items, 0));
  const judge = withNoise(judgedAnswers, (round) => {
    const { hsr, ssr } = scoreFollow(outcomes(items, round));
    return { HSR: hsr.value, SSR: ssr.value };
  });
  const isWhole = judge !== undefined || toJudge.length === 0;
  if (!isWhole)
    evaluated.warn(
      `${name}: ${toJudge.length} of ${items.length} items need a judge and are not scored; ` +
        'the same command with --judge-url and --judge-model scores them, from the answers that are kept',
    );
  const rates = (some: EvalItem[]): Record<string, Score> => {
    const { hsr, ssr } = scoreFollow(
      outcomes(
        some.map(({ id }) => byId.get(id)!),
        0,
      ),
    );
    return { hsr, ssr };
  };
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
