import type { Place } from '@lethe/data-pipeline';
import { meanInterval, type Score, wilson } from '../interval.js';
import { type Constraint, isSatisfied } from './constraint.js';

/** An instruction whose response is checked by rule. */
export interface RuleInstruction {
  prompt: string;
  constraints: Constraint[];
  /** File and line. */
  place?: Place;
}

/** One judged response. */
export interface JudgedResponse {
  prompt: string;
  response: string;
  satisfied: boolean[];
}

/** Hard satisfaction: responses that meet all their constraints. Soft: the fraction of constraints met. */
export interface InstructionScores {
  hsr: Score;
  /** Mean over responses of the fraction met; its interval is a bootstrap over responses. */
  ssr: Score;
  byLevel: { level: number; hsr: Score }[];
  judged: JudgedResponse[];
}

/** Scores responses, one per instruction. The level of an instruction is the number of its constraints. */
export function scoreInstructions(
  instructions: readonly RuleInstruction[],
  responses: readonly string[],
): InstructionScores {
  const judged = instructions.map(({ prompt, constraints }, i) => {
    const satisfied = constraints.map((constraint) => isSatisfied(constraint, responses[i], constraints));
    return { prompt, response: responses[i], satisfied };
  });
  const isHard = ({ satisfied }: JudgedResponse): boolean => satisfied.every(Boolean);
  const hsrOf = (subset: JudgedResponse[]): Score => wilson(subset.filter(isHard).length, subset.length);
  const fractions = judged.map(({ satisfied }) => satisfied.filter(Boolean).length / satisfied.length);
  const ssr = meanInterval(fractions);
  const levels = [...new Set(instructions.map(({ constraints }) => constraints.length))].sort((a, b) => a - b);
  const byLevel = levels.map((level) => ({
    level,
    hsr: hsrOf(judged.filter(({ satisfied }) => satisfied.length === level)),
  }));
  return { hsr: hsrOf(judged), ssr, byLevel, judged };
}
