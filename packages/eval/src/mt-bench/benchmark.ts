import type { ChatAnswer } from '../chat/answer-chats.js';
import type { Score } from '../interval.js';
import type { EvalItem } from '../items/eval-item.js';
import type { ToJudge } from '../judge/judge-answers.js';
import { answerMtBench, type MtConversation } from './answer-mt-bench.js';
import {
  type MtPrompt,
  type MtQuestion,
  type MtReferences,
  readMtPrompts,
  readMtQuestions,
  readMtReferences,
} from './mt-bench-files.js';
import { HIGHEST_RATING, mtRequest, readRating } from './mt-judging.js';
import { type MtRating, type MtScores, scoreMtBench } from './score-mt-bench.js';
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

const TURNS = [1, 2] as const;

/** The judge's prompts and reference answers. */
interface Grading {
  prompts: Map<string, MtPrompt>;
  references: MtReferences;
}

/** What the judge is asked: both turns of every conversation. */
const requests = (conversations: readonly MtConversation[], { prompts, references }: Grading): ToJudge[] =>
  conversations.flatMap(({ question, answers: [first, second] }) => [
    { id: first.id, request: mtRequest({ question, answers: [first.text] }, prompts, references) },
    { id: second.id, request: mtRequest({ question, answers: [first.text, second.text] }, prompts, references) },
  ]);

/** A turn with its answer and its ratings, one a round; undefined: no judge. */
interface RatedTurn {
  question: MtQuestion;
  turn: 1 | 2;
  answer: ChatAnswer;
  ratings?: (number | undefined)[];
  judgements?: string[];
}

/** The ratings of a round that could be read. */
const ratingsOf = (turns: readonly RatedTurn[], round: number): MtRating[] =>
  turns.flatMap(({ question, turn, ratings }) => {
    const rating = ratings?.[round];
    return rating === undefined ? [] : [{ question: question.id, category: question.category, turn, rating }];
  });

/** Answers both turns of the questions, and has them rated where there is a judge. */
async function rateTurns(
  questions: readonly MtQuestion[],
  task: EvalTaskOf<'mt-bench'>,
  evaluated: Evaluated,
): Promise<{ turns: RatedTurn[]; judgedAnswers: JudgedAnswers<number>; references?: string }> {
  const { references: file, ...answered } = task;
  const { name, data, maxNewTokens, seed } = task;
  const judging = evaluated.judging(name);
  // Read before the answers are generated, so that what is missing is missed at once.
  const grading = judging && { prompts: readMtPrompts(data), references: readMtReferences(data, questions, file) };
  const options = { maxNewTokens, seed, ...evaluated.answering(answered, questions) };
  const conversations = await answerMtBench(evaluated, questions, options);
  const asked = grading ? requests(conversations, grading) : [];
  const judgedAnswers = await judged(asked, judging, (_id, text) => readRating(text));
  const turns = conversations.flatMap(({ question, answers }) =>
    TURNS.map((turn): RatedTurn => {
      const answer = answers[turn - 1];
      const verdict = judgedAnswers.verdicts.get(answer.id);
      return { question, turn, answer, ratings: verdict?.values, judgements: verdict?.texts };
    }),
  );
  return { turns, judgedAnswers, ...(grading && { references: grading.references.file }) };
}

/** A rated item: its score is the share of the highest rating. */
const itemOf = ({ question, answer, judgements }: RatedTurn, rating: number): EvalItem => ({
  id: answer.id,
  group: question.category,
  cluster: question.id,
  prediction: String(rating),
  score: rating / HIGHEST_RATING,
  texts: [answer.text],
  ...(judgements && { judgements }),
  ...answerDetails(answer),
});

const measure = (name: string, score: Score): Measure => ({ name, score, unit: 'plain' });

const measuresOf = ({ overall, byTurn, byCategory }: MtScores): Measure[] => [
  measure('rating, 1 to 10', overall),
  ...byTurn.map(({ turn, rating }) => measure(`rating, turn ${turn}`, rating)),
  ...byCategory.map(({ category, rating }) => measure(`rating, ${category}`, rating)),
];

/** Scores MT-Bench by single-answer grading; without a judge it only answers, and says how to judge later. */
export async function runMtBenchTask(task: EvalTaskOf<'mt-bench'>, evaluated: Evaluated): Promise<TaskResult> {
  const { name } = task;
  const questions = readMtQuestions(task.data).slice(0, task.maxQuestions);
  const { turns, judgedAnswers, references } = await rateTurns(questions, task, evaluated);
  const items: EvalItem[] = [];
  const unscored: UnscoredAnswer[] = [];
  for (const turn of turns) {
    const rating = turn.ratings?.[0];
    if (rating === undefined) unscored.push(unscoredAnswer(turn.answer, turn.judgements));
    else items.push(itemOf(turn, rating));
  }
  const scores = scoreMtBench(ratingsOf(turns, 0));
  const judge = withNoise(judgedAnswers, (round) => ({ rating: scoreMtBench(ratingsOf(turns, round)).overall.value }));
  if (!judge)
    evaluated.warn(
      `${name}: ${unscored.length} answers are written and none is rated; ` +
        'the same command with --judge-url and --judge-model rates them, from the answers that are kept',
    );
  const rates = (some: EvalItem[]): Record<string, Score> => {
    const ids = new Set(some.map(({ id }) => id));
    const own = turns.filter(({ answer }) => ids.has(answer.id));
    return { rating: scoreMtBench(ratingsOf(own, 0)).overall };
  };
  const answers = turns.map(({ answer }) => answer);
  return {
    kind: 'mt-bench',
    name,
    average: 'micro',
    highest: HIGHEST_RATING,
    measures: judge ? measuresOf(scores) : [],
    counts: { ...judgeCounts(judge, unscored), ...chatCounts(answers, evaluated) },
    ...overlapOf(items, evaluated, rates),
    ...(judge && { judge }),
    scores: { ...scores, ...(references !== undefined && { references }) },
    items,
    unscored,
  };
}
