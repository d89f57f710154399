import type { Overlaps, OverlapStatus, Place } from '@lethe/data-pipeline';
import { compareItems, holm, type ItemComparison, type ItemPair } from '@lethe/eval';
import { UserError } from '@lethe/run';
import { percent } from './format-evaluation.js';
import { isAnswered } from './read-evaluation.js';
import type { Answered, Evaluation } from './task-result.js';

/** An item that one of two models has right. */
export interface ChangedItem {
  id: string;
  gold?: string;
  before: string | null;
  after: string | null;
  place?: Place;
  /** Whether training data hold it, where that is known. */
  overlap?: OverlapStatus;
}

/** One benchmark between two models. */
export interface BenchmarkComparison extends Omit<ItemComparison, 'lost' | 'recovered'> {
  name: string;
  average: Answered['average'];
  /** p as it counts among the benchmarks of these two models. */
  pHolm: number;
  lost: ChangedItem[];
  recovered: ChangedItem[];
}

/** Two models on every benchmark that both were scored on. */
export interface ModelComparison {
  before: string;
  after: string;
  benchmarks: BenchmarkComparison[];
}

const answered = ({ tasks }: Evaluation): Answered[] => tasks.filter(isAnswered);

function comparePair(before: Evaluation, after: Evaluation, overlaps: Overlaps | undefined): ModelComparison {
  const changed = ({ before: one, after: other }: ItemPair): ChangedItem => {
    const overlap = one.place && overlaps?.statusOf(one.place);
    const { id, gold, place } = one;
    return {
      id,
      ...(gold !== undefined && { gold }),
      before: one.prediction,
      after: other.prediction,
      ...(place && { place }),
      ...(overlap && { overlap }),
    };
  };
  const compared = answered(before).flatMap((task) => {
    const other = answered(after).find(({ name, protocol }) => name === task.name && protocol === task.protocol);
    if (!other) return [];
    const { average, name } = task;
    return [{ name, average, ...compareItems(name, { before: task.items, after: other.items, average }) }];
  });
  const adjusted = holm(compared.map(({ p }) => p));
  const benchmarks = compared.map((one, i) => ({
    ...one,
    pHolm: adjusted[i],
    lost: one.lost.map(changed),
    recovered: one.recovered.map(changed),
  }));
  return { before: before.model, after: after.model, benchmarks };
}

/**
 * Compares every two models of a lineage, in the order given.
 * @throws UserError where two of them share no benchmark.
 */
export function compareEvaluations(evaluations: readonly Evaluation[], overlaps?: Overlaps): ModelComparison[] {
  const pairs = evaluations.flatMap((after, j) => evaluations.slice(0, j).map((before) => ({ before, after })));
  return pairs.map(({ before, after }) => {
    const comparison = comparePair(before, after, overlaps);
    if (comparison.benchmarks.length > 0) return comparison;
    throw new UserError(
      `${before.model} and ${after.model} were not scored on the same benchmark, by name and protocol`,
    );
  });
}

/** Titles of the columns of {@link comparisonRows}. */
export const COMPARISON_HEADER = [
  'benchmark',
  'n',
  'before %',
  'after %',
  'difference [95% interval]',
  'lost',
  'recovered',
  'p',
  'p (Holm)',
];

const probability = (p: number): string => (p < 0.001 ? '<0.001' : p.toFixed(3));

/** A row for each benchmark of two models. */
export const comparisonRows = ({ benchmarks }: ModelComparison): string[][] =>
  benchmarks.map(({ name, n, before, after, difference, lost, recovered, p, pHolm }) => [
    name,
    String(n),
    (100 * before).toFixed(1),
    (100 * after).toFixed(1),
    percent(difference),
    String(lost.length),
    String(recovered.length),
    probability(p),
    probability(pHolm),
  ]);
