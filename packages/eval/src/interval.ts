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

/**
 * Percentile bootstrap interval of a mean (Efron 1979), 95%.
 * @param random uniform in [0, 1): a seeded stream, so that the interval is reproducible.
 */
export function bootstrapMean(values: readonly number[], random: () => number, resamples = 2000): Score {
  const n = values.length;
  const value = values.reduce((sum, x) => sum + x, 0) / n;
  if (n === 0) return { value: NaN, low: 0, high: 1, n };
  const means = new Float64Array(resamples);
  for (let r = 0; r < resamples; r++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += values[Math.floor(random() * n)];
    means[r] = sum / n;
  }
  means.sort();
  const at = (q: number): number => means[Math.min(resamples - 1, Math.max(0, Math.round(q * (resamples - 1))))];
  return { value, low: at(0.025), high: at(0.975), n };
}
