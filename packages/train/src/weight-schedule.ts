import { z } from 'zod';
import type { TermWeights } from '@lethe/losses';

const scheduleSchema = z.strictObject({
  from: z.number().nonnegative().describe('weight of the first step'),
  to: z.number().nonnegative().describe('weight from step `steps` + 1 on'),
  steps: z.int().positive().describe('steps from one to the other'),
  kind: z.enum(['linear', 'cosine']).default('linear').describe('how it goes from one to the other'),
});

/** A weight that changes over the steps of a run. */
export type WeightSchedule = z.output<typeof scheduleSchema>;

/** A weight of a term in a recipe: a number, or a schedule. */
export const weightSchema = (value: number) => z.union([z.number().nonnegative(), scheduleSchema]).default(value);

/** The weight of step 1..: a pure function of the step. */
export function weightAt(weight: number | WeightSchedule, step: number): number {
  if (typeof weight === 'number') return weight;
  const { from, to, steps, kind } = weight;
  const progress = Math.min((step - 1) / steps, 1);
  const done = kind === 'linear' ? progress : 0.5 * (1 - Math.cos(Math.PI * progress));
  return progress === 1 ? to : from + (to - from) * done;
}

/** Whether a weight is above 0 at any step of a run. */
export const isEverPositive = (weight: number | WeightSchedule): boolean =>
  typeof weight === 'number' ? weight > 0 : weight.from > 0 || weight.to > 0;

/** The largest weight of a run. */
export const mostOf = (weight: number | WeightSchedule): number =>
  typeof weight === 'number' ? weight : Math.max(weight.from, weight.to);

/** The keys of a recipe that weights depend on. */
interface Weighted {
  stage: string;
  objective: { weights: Record<keyof TermWeights, number | WeightSchedule> };
}

/** Whether a term's weight changes over the run. */
export const hasSchedule = ({ stage, objective }: Weighted): boolean =>
  stage === 'unlearn' && Object.values(objective.weights).some((weight) => typeof weight !== 'number');

/** The weights of step 1..: what is not unlearning learns its replay data. */
export function weightsOf({ stage, objective }: Weighted, step: number): TermWeights {
  if (stage !== 'unlearn') return { forgetting: 0, replay: 1, mitigation: 0 };
  const { forgetting, replay, mitigation } = objective.weights;
  return {
    forgetting: weightAt(forgetting, step),
    replay: weightAt(replay, step),
    mitigation: weightAt(mitigation, step),
  };
}
