/** A score with its 95% confidence interval. */
export interface Score {
  /** Fraction in [0, 1]. */
  value: number;
  low: number;
  high: number;
  /** Items scored. */
  n: number;
}

const Z_95 = 1.959963984540054;

/** Wilson's score interval of k successes in n trials (Wilson 1927), 95%. With n = 0 the value is NaN in [0, 1]. */
export function wilson(k: number, n: number): Score {
  if (n === 0) return { value: NaN, low: 0, high: 1, n };
  const p = k / n;
  const z2 = Z_95 * Z_95;
  const centre = (p + z2 / (2 * n)) / (1 + z2 / n);
  const half = (Z_95 / (1 + z2 / n)) * Math.sqrt((p * (1 - p)) / n + z2 / (4 * n * n));
  return { value: p, low: k === 0 ? 0 : centre - half, high: k === n ? 1 : centre + half, n };
}

/** 95% between the percentiles of sorted values. */
export function percentiles(sorted: ArrayLike<number>): { low: number; high: number } {
  const last = sorted.length - 1;
  return { low: sorted[Math.round(0.025 * last)], high: sorted[Math.round(0.975 * last)] };
}

const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

/**
 * Percentile bootstrap interval of a mean (Efron 1979), 95%.
 * @param random uniform in [0, 1): a seeded stream, so that the interval is reproducible.
 */
export const bootstrapMean = (values: readonly number[], random: () => number, resamples = 2000): Score =>
  bootstrapGroups([values], random, resamples);

/**
 * Percentile bootstrap interval of the plain mean of groups' means, 95%: items are drawn anew within each group. Empty
 * groups are left out.
 */
export function bootstrapGroups(all: readonly (readonly number[])[], random: () => number, resamples = 2000): Score {
  const groups = all.filter(({ length }) => length > 0);
  const n = groups.reduce((sum, { length }) => sum + length, 0);
  if (n === 0) return { value: NaN, low: 0, high: 1, n };
  const means = new Float64Array(resamples);
  for (const group of groups) {
    const { length } = group;
    for (let r = 0; r < resamples; r++) {
      let sum = 0;
      for (let i = 0; i < length; i++) sum += group[Math.floor(random() * length)];
      means[r] += sum / length / groups.length;
    }
  }
  means.sort();
  return { value: mean(groups.map(mean)), ...percentiles(means), n };
}

/**
 * Percentile bootstrap interval of a share of parts that come in clusters, 95%: whole clusters are drawn anew, since the
 * parts of one are not independent.
 * @returns its `n` counts parts.
 */
export function bootstrapRatio(
  clusters: readonly { part: number; whole: number }[],
  random: () => number,
  resamples = 2000,
): Score {
  const ratio = (drawn: readonly { part: number; whole: number }[]): number =>
    drawn.reduce((sum, { part }) => sum + part, 0) / drawn.reduce((sum, { whole }) => sum + whole, 0);
  const n = clusters.reduce((sum, { whole }) => sum + whole, 0);
  if (n === 0) return { value: NaN, low: 0, high: 1, n };
  const draw = (): { part: number; whole: number } => clusters[Math.floor(random() * clusters.length)];
  const ratios = Float64Array.from({ length: resamples }, () => ratio(clusters.map(draw)));
  return { value: ratio(clusters), ...percentiles(ratios.sort()), n };
}
