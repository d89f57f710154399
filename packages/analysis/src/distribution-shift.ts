/** How one sample's distribution differs from a reference sample's. */
export interface DistributionShift {
  /** mean(sample) - mean(reference). */
  meanDifference: number;
  /** var(sample) / var(reference): below 1, the spread has narrowed. */
  varianceRatio: number;
  /** Area between the two empirical distribution functions (Wasserstein-1), in the sample's unit. */
  wasserstein1: number;
  /** Largest distance of the two empirical distribution functions (Kolmogorov-Smirnov), in [0, 1]. */
  ks: number;
}

/** The arithmetic mean. */
export const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

/** The unbiased variance. */
export function variance(values: readonly number[]): number {
  const centre = mean(values);
  return values.reduce((sum, x) => sum + (x - centre) ** 2, 0) / (values.length - 1);
}

/**
 * Compares two samples. Both distances are exact for samples of different sizes.
 * @throws RangeError unless each sample has at least two values, all finite.
 */
export function distributionShift(sample: readonly number[], reference: readonly number[]): DistributionShift {
  for (const [name, values] of Object.entries({ sample, reference })) {
    if (values.length < 2 || !values.every(Number.isFinite)) {
      throw new RangeError(
        `distributionShift: expected at least two finite values in ${name}, received ${values.length}`,
      );
    }
  }
  const [a, b] = [[...sample].sort((x, y) => x - y), [...reference].sort((x, y) => x - y)];
  let [i, j, wasserstein1, ks] = [0, 0, 0, 0];
  let previous = Math.min(a[0], b[0]);
  while (i < a.length || j < b.length) {
    const next = Math.min(a[i] ?? Infinity, b[j] ?? Infinity);
    const gap = Math.abs(i / a.length - j / b.length);
    wasserstein1 += gap * (next - previous);
    ks = Math.max(ks, gap);
    while (i < a.length && a[i] === next) i++;
    while (j < b.length && b[j] === next) j++;
    previous = next;
  }
  return {
    meanDifference: mean(sample) - mean(reference),
    varianceRatio: variance(sample) / variance(reference),
    wasserstein1,
    ks,
  };
}
