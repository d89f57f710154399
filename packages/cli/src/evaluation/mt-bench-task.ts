import {
  answerMtBench,
  type EvalItem,
  HIGHEST_RATING,
  type MtConversation,
  type MtPrompt,
  type MtRating,
  type MtReferences,
  mtRequest,
  readMtPrompts,
  readMtQuestions,
  readMtReferences,
  readRating,
  type Score,
  scoreMtBench,
  type ToJudge,
} from '@lethe/eval';
import type { EvalTaskOf } from './eval-recipe.js';
import { type Evaluated, overlapOf } from './evaluated.js';
import { answerDetails, chatCounts, judgeCounts, judged, type UnscoredAnswer, withNoise } from './judged-answers.js';
import type { Measure, TaskResult } from './task-result.js';

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

const measure = (name: string, score: Score): Measure => ({ name, score, unit: 'plain' });

/** Scores MT-Bench by single-answer grading; without a judge it only answers, and says how to judge later. */
export async function runMtBenchTask(task: EvalTaskOf<'mt-bench'>, evaluated: Evaluated): Promise<TaskResult> {
  const { name, maxNewTokens, seed } = task;
  const questions = readMtQuestions(task.data).slice(0, task.maxQuestions);
  const judging = evaluated.judging(name);
  // Read before the answers are generated, so that what is missing is missed at once.
  const grading = judging && {
    prompts: readMtPrompts(task.data),
    references: readMtReferences(task.data, questions, task.references),
  };
  const { references: _, ...answered } = task;
  const options = { maxNewTokens, seed, ...evaluated.answering(answered, questions) };
  const conversations = await answerMtBench(evaluated, questions, options);
  const asked = grading ? requests(conversations, grading) : [];
  const judgedAnswers = await judged(asked, judging, (_id, text) => readRating(text));
  const turns = conversations.flatMap(({ question, answers }) =>
    TURNS.map((turn) => ({
      question,
      turn,
      answer: answers[turn - 1],
      own: judgedAnswers.verdicts.get(answers[turn - 1].id),
    })),
  );
  const ratingsIn = (round: number, ids?: Set<string>): MtRating[] =>
    turns.flatMap(({ question, turn, answer, own }) => {
      const rating = own?.values[round];
      if (rating === undefined || ids?.has(answer.id) === false) return [];
      return [{ question: question.id, category: question.category, turn, rating }];
    });

  const items: EvalItem[] = [];
  const unscored: UnscoredAnswer[] = [];
  for (const { question, answer, own } of turns) {
    const rating = own?.values[0];
    const judgements = own && { judgements: own.texts };
    const { id, text } = answer;
    if (rating === undefined)
      unscored.push({ id, text, reason: own ? 'judgement could not be read' : 'no judge', ...judgements });
    else
      items.push({
        id,
        group: question.category,
        cluster: question.id,
        prediction: String(rating),
        score: rating / HIGHEST_RATING,
        texts: [text],
        ...judgements,
        ...answerDetails(answer),
      });
  }
  const scores = scoreMtBench(ratingsIn(0));
  const judge = withNoise(judgedAnswers, (round) => ({ rating: scoreMtBench(ratingsIn(round)).overall.value }));
  if (!judging)
    evaluated.warn(
      `${name}: ${unscored.length} answers are written and none is rated; ` +
        'the same command with --judge-url and --judge-model rates them, from the answers that are kept',
    );
  const rates = (some: EvalItem[]): Record<string, Score> => ({
    rating: scoreMtBench(ratingsIn(0, new Set(some.map(({ id }) => id)))).overall,
  });
  const measures = [
    measure('rating, 1 to 10', scores.overall),
    ...scores.byTurn.map(({ turn, rating }) => measure(`rating, turn ${turn}`, rating)),
    ...scores.byCategory.map(({ category, rating }) => measure(`rating, ${category}`, rating)),
  ];
  return {
    kind: 'mt-bench',
    name,
    average: 'micro',
    highest: HIGHEST_RATING,
    measures: judge ? measures : [],
    counts: {
      ...judgeCounts(judge, unscored),
      ...chatCounts(
        conversations.flatMap(({ answers }) => answers),
        evaluated,
      ),
    },
    ...overlapOf(items, evaluated, rates),
    ...(judge && { judge }),
    scores: { ...scores, ...(grading && { references: grading.references.file }) },
    items,
    unscored,
  };
}
