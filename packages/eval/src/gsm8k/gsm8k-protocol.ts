import { UserError } from '@lethe/run';
import {
  isSameNumber,
  lastNumber,
  lmEvalFlexible,
  lmEvalIsSame,
  lmEvalStrict,
  statedAnswer,
} from './extract-number.js';
import type { CutFrom } from '../engine/fit-prompt.js';
import type { MathProblem, MathProblems, WorkedExample } from './gsm8k-files.js';

/** Whose prompts and scoring are followed. */
export const MATH_PROTOCOLS = ['opencompass', 'lm-eval'] as const;
export type MathProtocol = (typeof MATH_PROTOCOLS)[number];

/** How the answer is read: as the shots write it, or the last number. */
export type MathReading = 'strict' | 'flexible';

/** A protocol's prompt, limits and readings. */
export interface MathStyle {
  numShots: number;
  maxNewTokens: number;
  stopStrings: string[];
  /** Whether a text also ends where the model spells its end-of-text token letter by letter. */
  stopsAtSpelledEnd: boolean;
  cutFrom: CutFrom;
  /** What the shots are taken from, in order. */
  shotsOf: (problems: Omit<MathProblems, 'test'>) => readonly WorkedExample[];
  prompt: (problem: MathProblem, shots: readonly WorkedExample[]) => string;
  read: Record<MathReading, (text: string) => string | null>;
  isRight: (prediction: string, gold: string) => boolean;
  /** The reading the protocol's score is. */
  usual: MathReading;
}

/** Rounds of a base model are joined by a line end. */
function openCompassPrompt({ question }: MathProblem, shots: readonly WorkedExample[]): string {
  const ask = (text: string): string => `Question: ${text}\nLet's think step by step\nAnswer:`;
  return `${shots.map((shot) => `${ask(shot.question)}\n${shot.answer}\n\n`).join('')}${ask(question)}`;
}

function lmEvalPrompt({ question }: MathProblem, shots: readonly WorkedExample[]): string {
  const shown = shots.map((shot) => `Question: ${shot.question}\nAnswer: ${shot.answer}\n\n`);
  return `${shown.join('')}Question: ${question}\nAnswer:`;
}

/** The protocols: OpenCompass's 4-shot chain of thought, lm-evaluation-harness's 5-shot. */
export const MATH_STYLES: Record<MathProtocol, MathStyle> = {
  opencompass: {
    numShots: 4,
    maxNewTokens: 512,
    stopStrings: ['Question:'],
    stopsAtSpelledEnd: false,
    cutFrom: 'shots',
    shotsOf: ({ examples }) => examples,
    prompt: openCompassPrompt,
    read: { strict: statedAnswer, flexible: lastNumber },
    isRight: isSameNumber,
    usual: 'flexible',
  },
  'lm-eval': {
    numShots: 5,
    maxNewTokens: 256,
    stopStrings: ['Question:', '</s>', '<|im_end|>'],
    stopsAtSpelledEnd: true, // the harness adds that token's text to its stop strings
    cutFrom: 'start',
    shotsOf: ({ train }) => train,
    prompt: lmEvalPrompt,
    read: { strict: lmEvalStrict, flexible: lmEvalFlexible },
    isRight: lmEvalIsSame,
    usual: 'strict',
  },
};

/** The first shots of a protocol. @throws UserError where it has fewer than asked for. */
export function mathShots(
  protocol: MathProtocol,
  numShots: number,
  problems: Omit<MathProblems, 'test'>,
): readonly WorkedExample[] {
  const shots = MATH_STYLES[protocol].shotsOf(problems);
  if (numShots > shots.length)
    throw new UserError(`shots: ${protocol} has ${shots.length} examples for GSM8K, received ${numShots}`);
  return shots.slice(0, numShots);
}
