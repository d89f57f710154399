import type {
  ChoiceScores,
  CodeScores,
  EvalItem,
  InstructionScores,
  MathReading,
  MathScore,
  OverlapSplit,
  Score,
} from '@lethe/eval';

/** A score with its name, as tables show it. */
export interface Measure {
  name: string;
  score: Score;
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
  items: EvalItem[];
}

/** One task's result. */
export type TaskResult =
  | ({ kind: 'multiple-choice'; scores: ChoiceScores } & Answered)
  | ({ kind: 'gsm8k'; scores: Record<MathReading, MathScore> } & Answered)
  | ({ kind: 'code'; scores: CodeScores } & Answered)
  | ({ kind: 'instructions'; scores: InstructionScores } & Answered)
  | { kind: 'perplexity'; name: string; perplexity: number; numTokens: number; logPerplexities: number[] };

/** The results of one model. */
export interface Evaluation {
  model: string;
  /** Device and precision it was computed with. */
  device?: string;
  tasks: TaskResult[];
}
