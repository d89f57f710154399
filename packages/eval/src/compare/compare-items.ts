import { seededRandom, UserError } from '@lethe/run';
import type { Score } from '../interval.js';
import { type EvalItem, isRight } from '../items/eval-item.js';
import { compareClusters } from './compare-clusters.js';
import { binaryDifference, macroDifference, type TestedDifference } from './difference-interval.js';

/** One item answered by two models. */
export interface ItemPair {
  before: EvalItem;
  after: EvalItem;
}

/** What changed from one model to another on the same items. */
export interface ItemComparison {
  /** Items that both answered. */
  n: number;
  /** Items that only one of them answered, left out. */
  numUnpaired: number;
  before: number;
  after: number;
  /** After less before, with an interval that never contradicts the test. */
  difference: Score;
  /**
   * Where items are right or wrong and by themselves, McNemar's exact test beside Tango's interval, or Tango's score test
   * for means of groups; otherwise a permutation test that flips signs, and the shifts that it does not reject.
   */
  test: TestedDifference['test'];
  p: number;
  /** Right before and not after, and the other way round. */
  lost: ItemPair[];
  recovered: ItemPair[];
}

function pairUp(before: readonly EvalItem[], after: readonly EvalItem[], name: string): ItemPair[] {
  const byId = new Map(after.map((item) => [item.id, item]));
  const pairs = before.flatMap((item) => {
    const other = byId.get(item.id);
    return other ? [{ before: item, after: other }] : [];
  });
  const wrong = pairs.find((pair) => pair.before.gold !== pair.after.gold);
  if (wrong)
    throw new UserError(
      `${name}: item ${wrong.before.id} has the answer ${wrong.before.gold} in one result and ${wrong.after.gold} in another; they are not of the same questions`,
    );
  if (pairs.length === 0)
    throw new UserError(`${name}: the results have no items in common; evaluate on the same data`);
  return pairs;
}

/** Values by group, or all in one where items count alike. */
function grouped<T>(pairs: ItemPair[], average: 'micro' | 'macro', valueOf: (pair: ItemPair) => T): T[][] {
  const groups = new Map<string, T[]>();
  for (const pair of pairs) {
    const key = average === 'macro' ? (pair.before.group ?? '') : '';
    const group = groups.get(key);
    if (group) group.push(valueOf(pair));
    else groups.set(key, [valueOf(pair)]);
  }
  return [...groups.values()];
}

const mean = (values: number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

/**
 * Compares two models on the items that both answered.
 * @param average over items, or over groups of items whose means count alike.
 * @throws UserError where the items are not the same.
 */
export function compareItems(
  name: string,
  { before, after, average }: { before: readonly EvalItem[]; after: readonly EvalItem[]; average: 'micro' | 'macro' },
): ItemComparison {
  const pairs = pairUp(before, after, name);
  const scoreOf = (which: keyof ItemPair): number =>
    mean(grouped(pairs, average, (pair) => pair[which].score).map(mean));
  const change = (pair: ItemPair): number => pair.after.score - pair.before.score;
  const lost = pairs.filter((pair) => isRight(pair.before) && !isRight(pair.after));
  const recovered = pairs.filter((pair) => !isRight(pair.before) && isRight(pair.after));
  const clusterOf = ({ before: item }: ItemPair): string => item.cluster ?? item.id;
  const tested = (): TestedDifference => {
    const isBinary = pairs.every((pair) => [pair.before, pair.after].every(({ score }) => score === 0 || score === 1));
    if (!isBinary || pairs.some((pair) => pair.before.cluster !== undefined)) {
      const clustered = (pair: ItemPair) => ({ cluster: clusterOf(pair), change: change(pair) });
      return compareClusters(grouped(pairs, average, clustered), seededRandom(0, 'sign-flip', name).next);
    }
    const groups = grouped(pairs, average, change);
    return groups.length > 1 ? macroDifference(groups) : binaryDifference(lost.length, recovered.length, pairs.length);
  };
  return {
    n: pairs.length,
    numUnpaired: before.length + after.length - 2 * pairs.length,
    before: scoreOf('before'),
    after: scoreOf('after'),
    ...tested(),
    lost,
    recovered,
  };
}
