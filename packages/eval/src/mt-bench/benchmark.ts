import { z } from 'zod';
import { defineBenchmark, type TaskOf } from '../benchmark/define-benchmark.js';
import type { Answered, Measure } from '../benchmark/answered.js';
import type { Evaluated } from '../benchmark/evaluated.js';
import type { Score } from '../interval.js';
import { type AnsweredQuestion, type JudgedScoring, scoreJudged, type Verdict } from '../benchmark/judged-benchmark.js';
import { answerMtBench } from './answer-mt-bench.js';
import { type MtQuestion, readMtPrompts, readMtQuestions, readMtReferences } from './mt-bench-files.js';
import { HIGHEST_RATING, mtRequest, readRating } from './mt-judging.js';
import { type MtRating, type MtScores, scoreMtBench } from './score-mt-bench.js';

const settings = {
  data: z.string().describe('folder with question.jsonl, reference_answer/ and judge_prompts.jsonl'),
  references: z.string().optional().describe('file of reference_answer/; default: the corrected ones, if there'),
  maxNewTokens: z.int().positive().default(1024).describe('tokens of an answer, at most'),
  seed: z.int().nonnegative().default(0).describe('of the sampling'),
  maxQuestions: z.int().positive().optional().describe('only the first so many questions'),
};
type Task = TaskOf<'mt-bench', typeof settings>;

/** What `lethe eval` writes of it. */
export interface MtResult extends Answered {
  kind: 'mt-bench';
  scores: MtScores & { references?: string };
}

const TURNS = [1, 2] as const;

/** One turn of a question: what gets a rating. */
interface MtTurn {
  question: MtQuestion;
  turn: 1 | 2;
}

/** The rating of a turn that has one. */
const ratingOf = ({ question: { question, turn }, verdict }: Verdict<MtTurn, number>): MtRating[] =>
  verdict === undefined ? [] : [{ question: question.id, category: question.category, turn, rating: verdict }];

/** A verdict is a rating; the score of an item is the share of the highest rating. */
const scoring: JudgedScoring<MtTurn, number, MtScores> = {
  read: readRating,
  score: (verdicts) => scoreMtBench(verdicts.flatMap(ratingOf)),
  noise: ({ overall }) => ({ rating: overall.value }),
  rates: ({ overall }) => ({ rating: overall }),
  item: ({ question }, rating) => ({
    group: question.category,
    cluster: question.id,
    prediction: String(rating),
    score: rating / HIGHEST_RATING,
  }),
};

/** Answers both turns of the questions, and asks to have them rated where there is a judge. */
async function answer(
  questions: readonly MtQuestion[],
  task: Task,
  evaluated: Evaluated,
): Promise<{ answered: AnsweredQuestion<MtTurn, number>[]; references?: string }> {
  const { references: file, ...asked } = task;
  const { name, data, maxNewTokens, seed } = task;
  // Read before the answers are generated, so that what is missing is missed at once.
  const grading = evaluated.judging(name) && {
    prompts: readMtPrompts(data),
    references: readMtReferences(data, questions, file),
  };
  const options = { maxNewTokens, seed, ...evaluated.answering(asked, questions) };
  const conversations = await answerMtBench(evaluated, questions, options);
  const answered = conversations.flatMap(({ question, answers }) =>
    TURNS.map((turn) => {
      const [first, second] = answers.map(({ text }) => text);
      const spoken: [string] | [string, string] = turn === 1 ? [first] : [first, second];
      const request = grading && mtRequest({ question, answers: spoken }, grading.prompts, grading.references);
      return { question: { question, turn }, answer: answers[turn - 1], ...(request && { request }) };
    }),
  );
  return { answered, ...(grading && { references: grading.references.file }) };
}

const measure = (name: string, score: Score): Measure => ({ name, score, unit: 'plain' });

const measuresOf = ({ overall, byTurn, byCategory }: MtScores): Measure[] => [
  measure('rating, 1 to 10', overall),
  ...byTurn.map(({ turn, rating }) => measure(`rating, turn ${turn}`, rating)),
  ...byCategory.map(({ category, rating }) => measure(`rating, ${category}`, rating)),
];

/** Scores MT-Bench by single-answer grading; without a judge it only answers, and says how to judge later. */
async function run(task: Task, evaluated: Evaluated): Promise<MtResult[]> {
  const { name } = task;
  const questions = readMtQuestions(task.data).slice(0, task.maxQuestions);
  const { answered, references } = await answer(questions, task, evaluated);
  const { overlap, ...found } = await scoreJudged(name, answered, scoring, evaluated);
  const { scores, judge, counts, unscored } = found;
  if (!judge)
    evaluated.warn(
      `${name}: ${unscored.length} answers are written and none is rated; ` +
        'the same command with --judge-url and --judge-model rates them, from the answers that are kept',
    );
  return [
    {
      kind: 'mt-bench',
      name,
      average: 'micro',
      highest: HIGHEST_RATING,
      measures: judge ? measuresOf(scores) : [],
      counts,
      ...overlap,
      ...(judge && { judge }),
      scores: { ...scores, ...(references !== undefined && { references }) },
      items: found.items,
      unscored,
    },
  ];
}

/** MT-Bench: conversations of two turns. */
export const mtBench = defineBenchmark('mt-bench', settings, run);
