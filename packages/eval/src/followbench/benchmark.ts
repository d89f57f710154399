import { z } from 'zod';
import { defineBenchmark, type TaskOf } from '../benchmark/define-benchmark.js';
import { answerChats } from '../chat/answer-chats.js';
import type { Answered, Measure } from '../benchmark/answered.js';
import type { Evaluated } from '../benchmark/evaluated.js';
import { type AnsweredQuestion, type JudgedScoring, scoreJudged } from '../benchmark/judged-benchmark.js';
import { readFollowBench } from './follow-files.js';
import { FOLLOW_CATEGORIES, FOLLOW_LANGUAGES, type FollowItem } from './follow-item.js';
import { followRequest, readFollowVerdict } from './follow-judging.js';
import { followsRule, isRuleChecked } from './follow-rules.js';
import { type FollowScores, isHard, scoreFollow, softShare } from './score-follow.js';

const settings = {
  data: z.string().describe('folder with content_constraints.json and the other five'),
  language: z.enum(FOLLOW_LANGUAGES).default('en').describe('whose rules and judge’s message'),
  maxNewTokens: z.int().positive().default(2048).describe('tokens of an answer, at most'),
  maxGroups: z.int().positive().optional().describe('only the first so many groups of five levels of each category'),
};
type Task = TaskOf<'followbench', typeof settings>;

/** What `lethe eval` writes of it. */
export interface FollowResult extends Answered {
  kind: 'followbench';
  scores: FollowScores;
}

/** The first so many groups of each category. */
function firstGroups(items: FollowItem[], count: number | undefined): FollowItem[] {
  return FOLLOW_CATEGORIES.flatMap((category) => {
    const own = items.filter((item) => item.category === category);
    const groups = new Set([...new Set(own.map(({ group }) => group))].slice(0, count));
    return own.filter(({ group }) => groups.has(group));
  });
}

const word = (isSatisfied: boolean): string => (isSatisfied ? 'YES' : 'NO');

/** A verdict is a truth value for each constraint; the score of an item is the soft one, its readings are both. */
const scoring: JudgedScoring<FollowItem, boolean[], FollowScores> = {
  read: (text, { level }) => readFollowVerdict(text, level),
  score: (verdicts) => scoreFollow(verdicts.map(({ question, verdict }) => ({ item: question, satisfied: verdict }))),
  noise: ({ hsr, ssr }) => ({ HSR: hsr.value, SSR: ssr.value }),
  rates: ({ hsr, ssr }) => ({ hsr, ssr }),
  item: ({ category, group }, satisfied) => {
    const prediction = satisfied.map(word).join(' ');
    const soft = softShare(satisfied);
    return {
      group: category,
      cluster: group,
      prediction,
      score: soft,
      readings: { HSR: { prediction, score: isHard(satisfied) ? 1 : 0 }, SSR: { prediction, score: soft } },
    };
  },
};

function measuresOf(scores: FollowScores, isWhole: boolean): Measure[] {
  const part = isWhole ? '' : ', rule-checked items only';
  return [
    { name: `HSR %${part}`, score: scores.hsr },
    { name: `SSR %${part}`, score: scores.ssr },
    { name: `HSR %, levels weighted 1 to 5${part}`, score: scores.weighted.hsr },
    { name: `SSR %, levels weighted 1 to 5${part}`, score: scores.weighted.ssr },
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

/** Answers the items; a rule decides where there is one. */
async function answer(
  items: readonly FollowItem[],
  task: Task,
  evaluated: Evaluated,
): Promise<AnsweredQuestion<FollowItem, boolean[]>[]> {
  const { language, maxNewTokens } = task;
  const questions = items.map(({ id, instruction, place }) => ({
    id,
    turns: [{ role: 'user' as const, content: instruction }],
    place,
  }));
  const answers = await answerChats(evaluated, questions, { maxNewTokens, ...evaluated.answering(task, items) });
  return items.map((question, i) => {
    const { text } = answers[i];
    const decided = isRuleChecked(question, language)
      ? { verdict: [followsRule(question, text, language)] }
      : { request: followRequest(question, text, language) };
    return { question, answer: answers[i], ...decided };
  });
}

/** Scores FollowBench: items with rules by them, the others through the judge, where there is one. */
async function run(task: Task, evaluated: Evaluated): Promise<FollowResult[]> {
  const { name, language } = task;
  const items = firstGroups(readFollowBench(task.data), task.maxGroups);
  const answered = await answer(items, task, evaluated);
  const { overlap, ...found } = await scoreJudged(name, answered, scoring, evaluated);
  const { scores, judge, counts, unscored } = found;
  const isWhole = unscored.every(({ reason }) => reason !== 'no judge');
  if (!isWhole)
    evaluated.warn(
      `${name}: ${unscored.length} of ${items.length} items need a judge and are not scored; ` +
        'the same command with --judge-url and --judge-model scores them, from the answers that are kept',
    );
  return [
    {
      kind: 'followbench',
      name,
      protocol: language,
      average: 'macro',
      compares: ['HSR', 'SSR'],
      measures: measuresOf(scores, isWhole),
      counts,
      ...overlap,
      ...(judge && { judge }),
      scores,
      items: found.items,
      unscored,
    },
  ];
}

/** FollowBench: instructions with one to five constraints. */
export const followBench = defineBenchmark('followbench', settings, run);
