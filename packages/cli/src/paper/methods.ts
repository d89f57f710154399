import type { PaperMeasures } from './measure-model.js';
import { ofModel, points } from './claim.js';
import { differences, type Effect, effectOf, mean, overRuns } from './effect.js';
import { methodRepairs, type Regime } from './regime.js';
import type { LineageMeasures } from './run-lineage.js';

/** A forgetting method at one weight, over all seeds, ended when the pattern had let go. */
export interface MethodResult {
  name: string;
  method: string;
  weight: number;
  /** Seeds in which the pattern let go within the steps that it had. */
  reached: number;
  /** Mean steps to its end, each of as many tokens. */
  steps: number;
  /** Answers that betray the template, in points. */
  leak: number;
  /** Points of HSR of its -chat models above those of replay alone. */
  repair: Effect;
  /** Points of the taught benchmark that it lost. */
  lost: Effect;
  /** Nats per token of natural text above replay alone. */
  price: Effect;
  /** No method that reached the goal in every seed repairs more and loses less. */
  onFront: boolean;
}

/** The methods beside replay alone, in the order of the table of methods. */
export function methodResults(lineages: readonly LineageMeasures[], regime: Regime): MethodResult[] {
  const of = (name: string, pick: (measures: PaperMeasures) => readonly number[]): number[][] =>
    ofModel(lineages, name, pick);
  const hsr = (name: string): number[][] =>
    points(lineages.map(({ chats }) => overRuns(chats[name].map((run) => run.hsr!))));
  const knows = (name: string): number[][] => points(of(name, (measures) => measures.knows));
  const natural = (name: string): number[][] => of(name, ({ logPerplexities }) => logPerplexities.natural);
  const rows = Object.entries(methodRepairs(regime)).map(([name, { method, weights }]): MethodResult => ({
    name,
    method,
    weight: weights.forgetting,
    reached: lineages.filter(({ steps }) => steps[name] < regime.untilGone.steps).length,
    steps: mean(lineages.map(({ steps }) => steps[name])),
    leak: 100 * mean(of(name, (measures) => measures.leak).map(mean)),
    repair: effectOf(differences(hsr(name), hsr('control')), `${name} repair`),
    lost: effectOf(differences(knows('synth'), knows(name)), `${name} lost`),
    price: effectOf(differences(natural(name), natural('control')), `${name} price`),
    onFront: false,
  }));
  const whole = rows.filter(({ reached }) => reached === lineages.length);
  const beats = (a: MethodResult, b: MethodResult): boolean =>
    a.repair.effect >= b.repair.effect && a.lost.effect <= b.lost.effect && a !== b;
  return rows.map((row) => ({ ...row, onFront: whole.includes(row) && !whole.some((other) => beats(other, row)) }));
}
