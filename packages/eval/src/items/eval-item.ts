import type { Place } from '@lethe/data-pipeline';

/** What one item of a benchmark got: the same shape for every benchmark, so that any two results can be compared. */
export interface EvalItem {
  /** Unique within the benchmark and the same for every model: `anatomy/17`, `HumanEval/3`. */
  id: string;
  /** What it belongs to where scores are also averaged by group: a subject. */
  group?: string;
  /** What it is drawn together with in a bootstrap: the levels of one instruction, the turns of one conversation. */
  cluster?: string;
  gold?: string;
  /** The answer that was read; null where none could be read from the text. */
  prediction: string | null;
  /** Share of the item that is right: 0 or 1, or between for several samples. */
  score: number;
  /** Of the choices, natural logarithm. */
  logprobs?: number[];
  /** What the model wrote, one text a sample. */
  texts?: string[];
  /** What became of each sample's program, or how each instruction of a prompt was followed. */
  verdicts?: string[];
  /** What a judge wrote about the answer, one text a judgement. */
  judgements?: string[];
  /** Further readings of the same answer, by name. */
  readings?: Record<string, { prediction: string | null; score: number }>;
  /** What the prompt lost because it exceeded the model's context: its last shots, or its start. */
  cut?: 'shots' | 'start';
  /** Samples that ended because there was no room for more tokens. */
  numUnfinished?: number;
  /** File and line. */
  place?: Place;
}

/** Whether an item counts as right as a whole. */
export const isRight = ({ score }: EvalItem): boolean => score === 1;
