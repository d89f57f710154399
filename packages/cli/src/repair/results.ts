import type { ModelComparison } from '@lethe/eval';
import type { BatchAndSteps } from './plan.js';

/** A statistic with its 95% interval. */
export interface Interval {
  value: number;
  low: number;
  high: number;
}

export type BeforeVerdict = 'advised' | 'not-advised' | 'cannot-tell';
export type AfterVerdict = 'repaired' | 'not-repaired' | 'cannot-tell' | 'not-run';

/** One question of a verdict, what was measured, and which way it points. */
export interface Evidence {
  /** Of a benchmark, its name. */
  name?: string;
  question: string;
  /** Of what. */
  measure: string;
  found: Interval;
  /** What it is held against. */
  threshold: number;
  says: 'yes' | 'no' | 'open';
}

/** A piece of the pattern: tokens that stand together. */
export interface PatternPiece {
  text: string;
  /** Held-out synthetic documents that hold it. */
  documents: number;
  tokens: number;
}

/** The pattern as the data show it. */
export interface Pattern {
  /** Documents that share what counts as a pattern, at least, and of how many. */
  threshold: number;
  documents: number;
  /** Its share of the tokens of held-out synthetic documents, which are what is forgotten. */
  tokens: number;
  /** Its share of their words, and the same of one half of the natural text against the other. */
  share: Interval;
  null: Interval;
  pieces: PatternPiece[];
}

/** How much of the pattern a file's documents hold: of those that were looked at. */
export interface FileShare {
  file: string;
  documents: number;
  /** Those that hold next to none of it. */
  without: number;
  /** Its share of their words. */
  share: number;
}

/** Whether the synthetic text is of more than one kind: documents that share a pattern, and others that lack it. */
export interface Mixture {
  /** The part of held-out synthetic documents that hold next to none of the pattern. */
  without: Interval;
  /** Next to none: at most this share of a document's words. */
  limit: number;
  /** What 95% of natural documents hold at most, by the same search in halves of the natural text. */
  natural: number;
  isMixed: boolean;
  /** By file; none where the text was given as shards. */
  files: FileShare[];
}

/** A measure of the model before, after, and of the replay-only control; null where nothing was trained. */
export interface Measured {
  start: number;
  end: number | null;
  control: number | null;
}

/** The measures whose names `repair.json` promises. */
export interface HeldOut {
  /** Mean probability of the pattern's tokens in held-out synthetic text. */
  patternP: Measured;
  /** Of all its tokens. */
  syntheticP: Measured;
  /** Of those that are neither the pattern's nor special: what the text says. */
  contentP: Measured;
  naturalPerplexity: Measured;
}

/** A setting after some steps, beside the control after as many. */
export interface TriedPoint {
  steps: number;
  patternP: number;
  control: number;
  /** Natural perplexity as a multiple of the control's. */
  price: number;
  /** The probability of what the synthetic text says, as a part of what the model gave it before; 1 where it says next to nothing. */
  kept: number;
}

/** One setting that was tried. */
export interface Candidate {
  name: string;
  span: 'template' | 'all';
  weights: { forgetting: number; replay: number; mitigation: number };
  /** What the mitigation term holds to: the base, or, absent, the model that is repaired. */
  heldTo?: 'base';
  /** Whether what the synthetic text says beside its pattern is replayed too, in rows beside the natural ones. */
  content?: true;
  lr: number;
}

/** What a candidate did on the held-out rows that choose, at the best of its steps. */
export interface Tried extends Candidate {
  steps: number;
  /** Probability of the pattern's tokens: the model's before, the candidate's, and the control's at the same step. */
  patternP: Measured & { end: number; control: number };
  /** Natural perplexity as a multiple of the control's. */
  price: number;
  /** See {@link TriedPoint}. */
  kept: number;
  /** Share of each term in the sum of the terms' gradient norms, at the first step. */
  gradientShares: Record<string, number>;
  reachedGoal: boolean;
  onFront: boolean;
  /** Every validation. */
  path: TriedPoint[];
}

/** What is chosen and why. */
export interface Choice {
  goal: number;
  tried: Tried[];
  /** Settings that ended in a number that is not finite. */
  failed: { name: string; why: string }[];
  chosen: string;
  why: string;
  /** What models of several settings follow, where one is chosen by that. */
  asked: AskedSettings | null;
}

/** The share of the instructions that choose which the model of each setting follows, from 0 to 1. */
export interface AskedSettings {
  instructions: number;
  scores: Record<string, number>;
  /** The setting that text alone would choose. */
  byText: string;
}

/** What further training with a little synthetic text does to a model. */
export interface RelapsePath {
  /** Of the pattern's tokens in the synthetic text that chose settings. */
  path: { step: number; tokens: number; patternP: number }[];
  /** Tokens after which half of the start's probability is back, by the first look that finds it; null where none does. */
  backAfter: number | null;
}

/** How soon the pattern comes back when the repaired model is trained on; of the base, where it is known, the null. */
export interface Relapse {
  /** Part of the further training's tokens that are synthetic text. */
  share: number;
  lr: number;
  /** Probability of the pattern's tokens that counts as back. */
  back: number;
  repaired: RelapsePath;
  base: RelapsePath | null;
}

/** What a model answers to a request, and whether the answer has a phrase of the pattern: three of its words together. */
export interface Answer {
  text: string;
  hasPattern: boolean;
}

/** How far the pattern reaches beyond its own text: the share of answers to requests, with nothing of it in them, that hold it. */
export interface Reach {
  /** Instructions that were given, or else plain requests. */
  asked: 'instructions' | 'plain requests';
  requests: number;
  start: Interval;
  end: Interval;
  control: Interval;
  base: Interval | null;
  /** Of beginnings of natural documents, as long as answers: the null. */
  natural: Interval;
  examples: { request: string; start: string; end: string; control: string }[];
}

/** Scores by benchmark, from 0 to 1: one of each copy of a model that was asked. */
export type BenchmarkScores = Record<string, Record<'start' | 'end' | 'control', number[]> & { base?: number[] }>;

/** What the repaired model scores more on a benchmark of instructions, from 0 to 1, than the model before and than replay alone. */
export interface FollowedScore {
  name: string;
  gained: Interval;
  besideControl: Interval;
  /** What the base scores more than the model before: what the synthetic text cost; null without a base. */
  lost: Interval | null;
}

/** `repair.json`. */
export interface RepairResults {
  format: 'lethe-repair';
  version: 1;
  model: string;
  before: { verdict: BeforeVerdict; why: string; evidence: Evidence[]; pattern: Pattern; mixture: Mixture };
  after: { verdict: AfterVerdict; why: string; advice: string; evidence: Evidence[]; followed: FollowedScore[] };
  heldOut: HeldOut;
  /** 95% intervals of the measures, by bootstrap over documents. */
  intervals: Record<keyof HeldOut, { start: Interval; end: Interval | null; control: Interval | null }>;
  /** The setting that was chosen, with the steps it took; null where nothing was trained. */
  settings: (Candidate & { steps: number; preset: string }) | null;
  choice: Choice | null;
  batch: BatchAndSteps;
  /**
   * What the repair cost: natural perplexity after it as a multiple of the control's, and of the model's before; and the part of
   * the probability of what the synthetic text says that is kept, null where it says next to nothing.
   */
  price: { againstControl: Interval; againstStart: Interval; contentKept: Interval | null } | null;
  /** How far the pattern reaches beyond its own text; null where nothing was trained. */
  reach: Reach | null;
  /** What further training would do; null where the model is not repaired. */
  relapse: Relapse | null;
  /** What is asked: copies that a recipe fine-tuned, so many of each model; null where the models themselves are. */
  finetune: { recipe: string; runs: number } | null;
  /** The model before and the repaired one on each benchmark that was asked for, item by item. */
  benchmarks: ModelComparison | null;
  /** The same of replay alone and the repaired one. */
  benchmarksAgainstControl: ModelComparison | null;
  /** The base and the model before: what the synthetic text did; null without a base. */
  benchmarksDamage: ModelComparison | null;
  benchmarkScores: BenchmarkScores | null;
  data: Record<'synthetic' | 'natural', Record<'train' | 'select' | 'report', number>>;
  /** The repaired model; absent where the verdict does not allow it. */
  output: string | null;
  seconds: number;
  phases: Record<string, number>;
}
