import type { TextQuestion } from '../items/answer-texts.js';

/** A programming problem. */
export interface CodeProblem extends TextQuestion {
  /** The whole program of a completion, tests included; raising nothing is passing. */
  program: (completion: string) => string;
}

/** A benchmark of programming problems. */
export interface CodeBenchmark {
  problems: CodeProblem[];
  stopStrings: string[];
  numShots: number;
  maxNewTokens: number;
  /** Wall time of one program. */
  seconds: number;
}
