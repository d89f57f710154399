import type { Score } from '../interval.js';
import type { EvalItem } from '../items/eval-item.js';
import type { JudgeRecord, UnscoredAnswer } from '../judge/judged-answers.js';
import type { OverlapSplit } from '../overlap/split-by-overlap.js';

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
