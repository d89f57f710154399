import { type Effect, effectOf } from '../measures/effect.js';
import type { PaperMeasures } from '../measures/measure-model.js';
import type { LineageMeasures } from '../lineage/run-lineage.js';

export type Outcome = 'holds' | 'does-not-hold' | 'cannot-tell';

/** Which tokens a repair forgets: all, as the paper does, or the template's. */
export type Span = 'all' | 'template';
export const SPANS: readonly Span[] = ['template', 'all'];

/** A claim of the paper, and what the measures of all seeds say of it. */
export interface Claim extends Effect {
  id: string;
  /** Absent where nothing is forgotten. */
  span?: Span;
  claim: string;
  outcome: Outcome;
  /** What the paper reports of it. */
  paper: string;
  /** How to read the effect. */
  unit: string;
}

export type ClaimText = Pick<Claim, 'id' | 'claim' | 'paper' | 'unit' | 'span'>;

/** Fewer seeds say nothing of another seed, whatever their intervals over items are. */
const FEWEST_SEEDS = 3;

/** Positive as claimed: an interval above 0 holds, one below 0 is the other way round. */
export const asClaimed = ({ low, high }: Effect): Outcome =>
  low > 0 ? 'holds' : high < 0 ? 'does-not-hold' : 'cannot-tell';

/** The claim with the effect that values of seeds and items have, judged. */
export function claimOf(
  text: ClaimText,
  values: readonly (readonly number[])[],
  judge: (effect: Effect) => Outcome = asClaimed,
): Claim {
  const effect = effectOf(values, `${text.id} ${text.span ?? ''} ${text.claim}`);
  return { ...text, ...effect, outcome: effect.seeds < FEWEST_SEEDS ? 'cannot-tell' : judge(effect) };
}

/** What a claim takes of the lineages: values by seed and item. */
export type PickMeasure = (measures: PaperMeasures) => readonly number[];

/** One measure of one model, by seed and item. */
export const ofModel = (lineages: readonly LineageMeasures[], name: string, pick: PickMeasure): number[][] =>
  lineages.map(({ models }) => [...pick(models[name])]);

/** Shares as percentages, so that differences are points. */
export const points = (values: readonly (readonly number[])[]): number[][] =>
  values.map((seed) => seed.map((x) => 100 * x));
