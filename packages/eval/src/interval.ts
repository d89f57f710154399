/** A score with its 95% confidence interval. */
export interface Score {
  /** Fraction in [0, 1]. */
  value: number;
  low: number;
  high: number;
  /** Items scored. */
  n: number;
}

/** The 97.5% quantile of the normal distribution. */
export const Z_95 = 1.959963984540054;

/** The 97.5% quantile of Student's t with so many degrees of freedom (Abramowitz and Stegun 26.7.5; 1 to 3 exactly). */
export function t95(degrees: number): number {
  if (degrees < 1) return t95(1);
  if (degrees < 2) return 12.706204736432095;
  if (degrees < 3) return 4.302652729911275;
  if (degrees < 4) return 3.182446305284263;
  const [z, v] = [Z_95, degrees];
  const [z3, z5, z7] = [z ** 3, z ** 5, z ** 7];
  return (
    z +
    (z3 + z) / (4 * v) +
    (5 * z5 + 16 * z3 + 3 * z) / (96 * v ** 2) +
    (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * v ** 3)
  );
}

/** Wilson's score interval (Wilson 1927) of a mean of n values in [0, 1] that vary as 0 and 1 would; n may be effective. */
function scoreInterval(mean: number, n: number, z = Z_95): { low: number; high: number } {
  const z2 = z * z;
  const centre = (mean + z2 / (2 * n)) / (1 + z2 / n);
  const half = (z / (1 + z2 / n)) * Math.sqrt((mean * (1 - mean)) / n + z2 / (4 * n * n));
  return { low: mean <= 0 ? 0 : Math.max(0, centre - half), high: mean >= 1 ? 1 : Math.min(1, centre + half) };
}

/** Wilson's score interval of k successes in n trials, 95%. With n = 0 the value is NaN in [0, 1]. */
export function wilson(k: number, n: number): Score {
  return n === 0 ? { value: NaN, low: 0, high: 1, n } : { value: k / n, ...scoreInterval(k / n, n), n };
}

const sum = (values: readonly number[]): number => values.reduce((total, x) => total + x, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;
const isBinary = (values: readonly number[]): boolean => values.every((x) => x === 0 || x === 1);

/**
 * Values that are added to a sample, as varied as 0 and 1 are: a sample whose values are equal by chance would otherwise
 * say that they do not vary. Chosen so that simulated coverage stays above 0.93 (scripts/coverage.mjs).
 */
const PSEUDO_VALUES = 2;

/** The variance of a value in [0, 1], from a sample and {@link PSEUDO_VALUES} more of a Bernoulli variable of mean p. */
function varianceOf(values: readonly number[], p: number): number {
  const m = mean(values);
  const squares = sum(values.map((x) => (x - m) ** 2));
  return (squares + PSEUDO_VALUES * p * (1 - p)) / (values.length - 1 + PSEUDO_VALUES);
}

/** The interval of a mean of values in [0, 1], 95%: {@link macroInterval} of one group. */
export const meanInterval = (values: readonly number[]): Score => macroInterval([values]);

/**
 * The interval of the plain mean of groups' means, values in [0, 1], 95%: Wilson's, with an effective n, as Korn and
 * Graubard 1998 have it for surveys. For values of 0 and 1 it is Kish's, which the groups' weights alone decide: what
 * little they tell of their variances makes intervals of small groups too narrow. For fractions it is the number of 0-1
 * values that would vary as much. Empty groups are left out.
 */
export function macroInterval(all: readonly (readonly number[])[]): Score {
  const groups = all.filter(({ length }) => length > 0);
  const values = groups.flat();
  const n = values.length;
  if (n === 0) return { value: NaN, low: 0, high: 1, n };
  const value = mean(groups.map(mean));
  if (isBinary(values)) {
    const kish = groups.length ** 2 / sum(groups.map(({ length }) => 1 / length));
    return { value, ...scoreInterval(value, kish), n };
  }
  const p = (n * value + 1) / (n + 2);
  const variance = sum(groups.map((group) => varianceOf(group, p) / group.length)) / groups.length ** 2;
  return { value, ...scoreInterval(value, (p * (1 - p)) / variance, t95(n - groups.length)), n };
}

/**
 * The interval of a share of parts that come in clusters, such as the instructions of a prompt, 95%: Wilson's, with the
 * effective n of the clusters' linearized variance and Student's t (Korn and Graubard 1998).
 * @returns its `n` counts parts.
 */
export function shareInterval(clusters: readonly { part: number; whole: number }[]): Score {
  const n = sum(clusters.map(({ whole }) => whole));
  if (n === 0) return { value: NaN, low: 0, high: 1, n };
  const value = sum(clusters.map(({ part }) => part)) / n;
  const size = n / clusters.length;
  const p = (n * value + 1) / (n + 2);
  const squares = sum(clusters.map(({ part, whole }) => ((part - value * whole) / size) ** 2));
  const variance = (squares + PSEUDO_VALUES * p * (1 - p)) / (clusters.length - 1 + PSEUDO_VALUES) / clusters.length;
  const effective = Math.min(n, (p * (1 - p)) / variance);
  return { value, ...scoreInterval(value, effective, t95(clusters.length - 1)), n };
}
