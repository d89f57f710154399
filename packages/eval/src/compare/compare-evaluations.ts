import type { Overlaps, OverlapStatus, Place } from '@lethe/data-pipeline';
import { UserError } from '@lethe/run';
import type { Answered } from '../benchmark/answered.js';
import { type Evaluation, isAnswered } from '../evaluation/evaluation.js';
import { compareItems, type ItemComparison, type ItemPair } from './compare-items.js';
import { holm } from './paired-tests.js';

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

/** One benchmark between two models, or one reading of it. */
export interface BenchmarkComparison extends Omit<ItemComparison, 'lost' | 'recovered'> {
  name: string;
  average: Answered['average'];
  /** The rating that a score of 1 stands for, where scores are ratings. */
  highest?: number;
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

const answered = ({ tasks }: Evaluation): Answered[] => tasks.filter(isAnswered).flatMap(readings);

/** A result for each reading that is compared by itself; none where nothing is scored. */
function readings(task: Answered): Answered[] {
  if (task.items.length === 0) return [];
  if (!task.compares) return [task];
  return task.compares.map((reading) => ({
    ...task,
    name: `${task.name} ${reading}`,
    items: task.items.map((item) => ({ ...item, ...item.readings?.[reading] })),
  }));
}

/** Ratings of two judges differ by more than models do. @throws UserError where there are two. */
function checkJudges(one: Answered, other: Answered): void {
  if (!one.judge || !other.judge || one.judge.model === other.judge.model) return;
  throw new UserError(
    `${one.name}: judged by ${one.judge.model} in one result and by ${other.judge.model} in another; judge both alike`,
  );
}

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
    checkJudges(task, other);
    const { average, name, highest } = task;
    const compared = compareItems(name, { before: task.items, after: other.items, average });
    return [{ name, average, ...(highest && { highest }), ...compared }];
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
