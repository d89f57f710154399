import { shown } from '../evaluation/evaluation-rows.js';
import type { ModelComparison } from './compare-evaluations.js';

/** Titles of the columns of {@link comparisonRows}; ratings are shown as they are, and named so. */
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
  benchmarks.map(({ name, n, before, after, difference, highest, lost, recovered, p, pHolm }) => {
    const { value, low, high } = difference;
    const scale = highest ?? 1;
    const unit = highest === undefined ? undefined : 'plain';
    return [
      highest === undefined ? name : `${name} (rating of ${highest})`,
      String(n),
      highest === undefined ? (100 * before).toFixed(1) : (highest * before).toFixed(2),
      highest === undefined ? (100 * after).toFixed(1) : (highest * after).toFixed(2),
      shown({ score: { value: scale * value, low: scale * low, high: scale * high, n }, unit }),
      String(lost.length),
      String(recovered.length),
      probability(p),
      probability(pHolm),
    ];
  });
