import { seededRandom } from '@lethe/run';
import { bootstrapStatistics } from '../bootstrap-statistics.js';
import type { Score } from '../interval.js';
import { FOLLOW_LEVELS, type FollowCategory, type FollowItem } from './follow-item.js';

/** How an answer fared. */
export interface FollowOutcome {
  item: Pick<FollowItem, 'category' | 'group' | 'level'>;
  /** Constraint by constraint; one value for all where a rule checks them together. Undefined: not scored. */
  satisfied?: boolean[];
}

/** Shares of answers that satisfy all their constraints (hard), and mean shares of constraints satisfied (soft). */
export interface FollowRates {
  hsr: Score;
  ssr: Score;
}

/** FollowBench's scores; intervals are bootstraps over groups, within each category. */
export interface FollowScores extends FollowRates {
  /** Consistent satisfaction levels: how many levels from 1 on are hard-satisfied in a row, 0 to 5; mean over groups. */
  csl: Score;
  /** Means of the levels, each weighing as much as it has constraints: (1 h1 + 2 h2 + .. + 5 h5) / 15, as in FollowBench's aggregator. */
  weighted: FollowRates;
  /** Means of the categories. */
  byLevel: ({ level: number } & FollowRates)[];
  /** Means of the levels. */
  byCategory: ({ category: FollowCategory; csl: Score } & FollowRates)[];
  byCategoryAndLevel: ({ category: FollowCategory; level: number } & FollowRates)[];
}

/** Hard and soft satisfaction of a group's levels 1 to 5; undefined where a level is not scored. */
type Levels = ({ hard: number; soft: number } | undefined)[];

/** Whether all constraints are satisfied. */
export const isHard = (satisfied: readonly boolean[]): boolean => satisfied.every(Boolean);

/** The share of constraints satisfied. */
export const softShare = (satisfied: readonly boolean[]): number => satisfied.filter(Boolean).length / satisfied.length;

/**
 * The mean number of levels in a row, from 1 on, that are hard-satisfied; NaN where that depends on a level of which nothing is scored. A
 * group counts as far as it is scored: the chance of passing each level is taken from the groups that came to it and were
 * scored there, and the mean is the sum over levels of the chance to pass that one and all before it (Kaplan and Meier
 * 1958). Leaving out groups that a level without a judgement leaves undecided would leave out the long ones.
 */
function consistentLevels(groups: readonly Levels[]): number {
  let [reached, still, total] = [groups, 1, 0];
  for (let level = 0; level < FOLLOW_LEVELS.length; level++) {
    const scored = reached.filter((levels) => levels[level]);
    if (scored.length === 0) return level > 0 && reached.length === 0 ? total : NaN;
    reached = scored.filter((levels) => levels[level]!.hard === 1);
    still *= reached.length / scored.length;
    total += still;
  }
  return total;
}

const mean = (values: number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;
const isNumber = (value: number | undefined): value is number => value !== undefined && !Number.isNaN(value);

/** The mean of the levels' rates, level n weighing n; levels of which nothing is scored are left out. */
function weightedMean(rates: readonly number[]): number {
  const known = FOLLOW_LEVELS.filter((_, i) => isNumber(rates[i]));
  return known.reduce((sum, level) => sum + level * rates[level - 1], 0) / known.reduce((sum, level) => sum + level, 0);
}

/** Names of the statistics; a part is a level, a category, or both. */
const nameOf = (measure: string, ...part: (string | number)[]): string => [measure, ...part].join(' ');

/** Every statistic of groups by category. */
function statistics(categories: readonly FollowCategory[], drawn: Levels[][]): Record<string, number> {
  const values: Record<string, number> = {};
  for (const [measure, key] of [
    ['hsr', 'hard'],
    ['ssr', 'soft'],
  ] as const) {
    const cells = drawn.map((groups) =>
      FOLLOW_LEVELS.map((_, i) => mean(groups.flatMap((levels) => levels[i]?.[key] ?? []))),
    );
    categories.forEach((category, c) => {
      FOLLOW_LEVELS.forEach((level, i) => (values[nameOf(measure, category, level)] = cells[c][i]));
      values[nameOf(measure, category)] = mean(cells[c].filter(isNumber));
    });
    const levels = FOLLOW_LEVELS.map((_, i) => mean(cells.map((row) => row[i]).filter(isNumber)));
    FOLLOW_LEVELS.forEach((level, i) => (values[nameOf(measure, level)] = levels[i]));
    values[measure] = mean(levels.filter(isNumber));
    values[nameOf(measure, 'weighted')] = weightedMean(levels);
  }
  categories.forEach((category, c) => (values[nameOf('csl', category)] = consistentLevels(drawn[c])));
  values['csl'] = consistentLevels(drawn.flat());
  return values;
}

/**
 * HSR, SSR and CSL (Jiang et al. 2024, "FollowBench"): means of each category and level, means of the categories of a
 * level, then the mean of the five levels. What is not scored is left out; a group counts for CSL as far as it is scored.
 */
export function scoreFollow(outcomes: readonly FollowOutcome[]): FollowScores {
  const byCategory = new Map<FollowCategory, Map<string, Levels>>();
  for (const { item, satisfied } of outcomes) {
    if (!satisfied) continue;
    const groups = byCategory.get(item.category) ?? new Map<string, Levels>();
    byCategory.set(item.category, groups);
    const levels = groups.get(item.group) ?? FOLLOW_LEVELS.map(() => undefined);
    groups.set(item.group, levels);
    levels[item.level - 1] = { hard: isHard(satisfied) ? 1 : 0, soft: softShare(satisfied) };
  }
  const categories = [...byCategory.keys()];
  const strata = [...byCategory.values()].map((groups) => [...groups.values()]);
  const scores = bootstrapStatistics(strata, (drawn) => statistics(categories, drawn), {
    random: seededRandom(0, 'FollowBench').next,
    range: (name) => ({ least: 0, most: name.startsWith('csl') ? FOLLOW_LEVELS.length : 1 }),
  });

  const numItems = (groups: Levels[], level?: number): number =>
    groups.flatMap((levels) => (level ? [levels[level - 1]] : levels)).filter(Boolean).length;
  const rates = (n: number, ...part: (string | number)[]): FollowRates => ({
    hsr: { ...scores[nameOf('hsr', ...part)], n },
    ssr: { ...scores[nameOf('ssr', ...part)], n },
  });
  const csl = (groups: Levels[], ...part: string[]): Score => ({
    ...scores[nameOf('csl', ...part)],
    n: groups.filter(([first]) => first).length,
  });
  const all = strata.flat();
  return {
    ...rates(numItems(all)),
    csl: csl(all),
    weighted: rates(numItems(all), 'weighted'),
    byLevel: FOLLOW_LEVELS.map((level) => ({ level, ...rates(numItems(all, level), level) })),
    byCategory: categories.map((category, c) => ({
      category,
      ...rates(numItems(strata[c]), category),
      csl: csl(strata[c], category),
    })),
    byCategoryAndLevel: categories.flatMap((category, c) =>
      FOLLOW_LEVELS.map((level) => ({ category, level, ...rates(numItems(strata[c], level), category, level) })),
    ),
  };
}
