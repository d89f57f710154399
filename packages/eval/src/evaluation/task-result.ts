import type { CodeScores } from '../code/answer-code.js';
import type { FollowScores } from '../followbench/score-follow.js';
import type { MathScore } from '../gsm8k/answer-gsm8k.js';
import type { MathReading } from '../gsm8k/gsm8k-protocol.js';
import type { IfevalScores } from '../ifeval/score-ifeval.js';
import type { InstructionScores } from '../instructions/score-instructions.js';
import type { Score } from '../interval.js';
import type { EvalItem } from '../items/eval-item.js';
import type { MtScores } from '../mt-bench/score-mt-bench.js';
import type { ChoiceScores } from '../multiple-choice/score-choices.js';
import type { OverlapSplit } from '../overlap/split-by-overlap.js';
import type { JudgeRecord, UnscoredAnswer } from '../judge/judged-answers.js';

/** A score with its name, as tables show it. */
export interface Measure {
  name: string;
  score: Score;
  /** How it is shown: in percent unless given, or as it is. */
  unit?: 'plain';
}

/** What every benchmark of questions has: the same shape, so that any two results can be compared. */
export interface Answered {
  /** As the recipe calls it; with the protocol where it asks for several. */
  name: string;
  protocol?: string;
  /** The average the benchmark is known by: over items, or over groups of items. */
  average: 'micro' | 'macro';
  measures: Measure[];
  /** Things that went otherwise than they should, where there are any. */
  counts?: Record<string, number>;
  /** Scores by whether items are in training data. */
  overlap?: OverlapSplit<Record<string, Score>>;
  /** Readings of the items that are compared one by one; absent: their scores are compared. */
  compares?: string[];
  /** The rating that a score of 1 stands for; absent: scores are shown in percent. */
  highest?: number;
  /** Who judged the items, where a judge did. */
  judge?: JudgeRecord;
  items: EvalItem[];
  /** Answers that have no score. */
  unscored?: UnscoredAnswer[];
}

/** One task's result. */
export type TaskResult =
  | ({ kind: 'multiple-choice'; scores: ChoiceScores } & Answered)
  | ({ kind: 'gsm8k'; scores: Record<MathReading, MathScore> } & Answered)
  | ({ kind: 'code'; scores: CodeScores } & Answered)
  | ({ kind: 'ifeval'; scores: IfevalScores } & Answered)
  | ({ kind: 'instructions'; scores: InstructionScores } & Answered)
  | ({ kind: 'followbench'; scores: FollowScores } & Answered)
  | ({ kind: 'mt-bench'; scores: MtScores & { references?: string } } & Answered)
  | { kind: 'perplexity'; name: string; perplexity: number; numTokens: number; logPerplexities: number[] };

/** The results of one model. */
export interface Evaluation {
  model: string;
  /** Device and precision it was computed with. */
  device?: string;
  tasks: TaskResult[];
}
