import type { TextQuestion } from '../engine/answer-texts.js';
import type { Program } from '../sandbox/report.js';

/** A programming problem. */
export interface CodeProblem extends TextQuestion {
  /** The program of a completion, and its tests; raising nothing is passing. */
  program: (completion: string) => Program;
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
