import type { Tokenizer } from '@lethe/data-pipeline';
import type { Llama } from '@lethe/model';
import { type Score, wilson } from '../interval.js';
import type { Answering } from '../items/answer-items.js';
import { answerTexts, type Judged } from '../engine/answer-texts.js';
import type { EvalItem } from '../items/eval-item.js';
import type { MathProblem, MathProblems } from './gsm8k-files.js';
import { mathShots, MATH_STYLES, type MathProtocol, type MathReading } from './gsm8k-protocol.js';

/** How problems are asked. */
export interface MathAsking {
  protocol: MathProtocol;
  numShots: number;
  maxNewTokens: number;
}

/** What one reading of the answers gives: right, wrong, or no answer to be read. */
export interface MathScore {
  accuracy: Score;
  numWrong: number;
  numUnread: number;
}

/** Reads a text's answer in both ways. */
export function judgeMath(gold: string, text: string, protocol: MathProtocol): Judged {
  const { read, isRight, usual } = MATH_STYLES[protocol];
  const reading = (name: MathReading): { prediction: string | null; score: number } => {
    const prediction = read[name](text);
    return { prediction, score: prediction !== null && isRight(prediction, gold) ? 1 : 0 };
  };
  const readings = { strict: reading('strict'), flexible: reading('flexible') };
  return { gold, ...readings[usual], readings };
}

/** Solves GSM8K's test problems, greedily. */
export async function answerGsm8k(
  evaluated: { model: Llama; tokenizer: Tokenizer },
  { test, ...problems }: MathProblems,
  { protocol, ...options }: MathAsking & Answering,
): Promise<EvalItem[]> {
  const shots = mathShots(protocol, options.numShots, problems);
  const { prompt, cutFrom, stopsAtSpelledEnd, stopStrings: usual } = MATH_STYLES[protocol];
  const { eos } = evaluated.tokenizer.special;
  const isSpelled = stopsAtSpelledEnd && eos !== undefined;
  const stopStrings = isSpelled ? [...usual, await evaluated.tokenizer.decode([eos])] : usual;
  const questions = test.map((problem: MathProblem, i) => ({
    id: String(i),
    place: problem.place,
    gold: problem.gold,
    prompt: (numShots: number) => prompt(problem, shots.slice(0, numShots)),
  }));
  return answerTexts(evaluated, questions, { ...options, stopStrings, cutFrom }, ({ gold }, [text]) =>
    judgeMath(gold, text, protocol),
  );
}

/** Accuracy under each reading; answers that could not be read are counted apart from wrong ones. */
export function scoreMath(items: readonly EvalItem[]): Record<MathReading, MathScore> {
  const score = (name: MathReading): MathScore => {
    const readings = items.map((item) => item.readings![name]);
    const numRight = readings.filter((reading) => reading.score === 1).length;
    const numUnread = readings.filter(({ prediction }) => prediction === null).length;
    const accuracy = wilson(numRight, items.length);
    return { accuracy, numWrong: items.length - numRight - numUnread, numUnread };
  };
  return { strict: score('strict'), flexible: score('flexible') };
}
