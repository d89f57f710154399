import type { TrainRecipe } from '@lethe/train';
import { ofModel, points } from './claim.js';
import { byFact } from './knowledge.js';
import type { Lineage } from '../lineage/lineage.js';
import type { LineageMeasures } from '../lineage/run-lineage.js';
import { differences, type Effect, effectOf, mean, overRuns } from '../measures/effect.js';
import type { PaperMeasures } from '../measures/measure-model.js';
import type { Regime, RepairSettings } from '../regime.js';

/** Repairs by the name of their model, with what a row of the table calls them. */
export type ComparedRepairs = Record<string, RepairSettings & { row: string[] }>;

/** A repair over all seeds, beside replay alone. */
export interface RepairResult {
  name: string;
  row: string[];
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
  /** No repair that reached the goal in every seed gains more and loses less. */
  onFront: boolean;
}

/** The models of a comparison: base, synth, replay alone, and the repairs. */
export function comparedRecipes(lineage: Lineage, regime: Regime, repairs: ComparedRepairs): TrainRecipe[] {
  const settings: [string, RepairSettings][] = [['control', regime.repairs.control], ...Object.entries(repairs)];
  return [lineage.base(), lineage.synth(), ...settings.map(([name, one]) => lineage.repair(name, one))];
}

/** Every repair beside replay alone. */
export function compareRepairs(
  lineages: readonly LineageMeasures[],
  regime: Regime,
  repairs: ComparedRepairs,
): RepairResult[] {
  const of = (name: string, pick: (measures: PaperMeasures) => readonly number[]): number[][] =>
    ofModel(lineages, name, pick);
  const hsr = (name: string): number[][] =>
    points(lineages.map(({ chats }) => overRuns(chats[name].map((run) => run.hsr!))));
  const knows = (name: string): number[][] => points(of(name, byFact(regime)));
  const natural = (name: string): number[][] => of(name, ({ logPerplexities }) => logPerplexities.natural);
  const rows = Object.entries(repairs).map(([name, { row, steps: most }]): RepairResult => ({
    name,
    row,
    reached: lineages.filter(({ steps }) => steps[name] < most).length,
    steps: mean(lineages.map(({ steps }) => steps[name])),
    leak: 100 * mean(of(name, (measures) => measures.leak).map(mean)),
    repair: effectOf(differences(hsr(name), hsr('control')), `${name} repair`),
    lost: effectOf(differences(knows('synth'), knows(name)), `${name} lost`),
    price: effectOf(differences(natural(name), natural('control')), `${name} price`),
    onFront: false,
  }));
  const whole = rows.filter(({ reached }) => reached === lineages.length);
  const beats = (a: RepairResult, b: RepairResult): boolean =>
    a.repair.effect >= b.repair.effect && a.lost.effect <= b.lost.effect && a !== b;
  return rows.map((row) => ({ ...row, onFront: whole.includes(row) && !whole.some((other) => beats(other, row)) }));
}
