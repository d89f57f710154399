import { variance } from './distribution-shift.js';

/** A density drawn as a curve: y[i] at x[i]. */
export interface DensityCurve {
  x: number[];
  y: number[];
}

/** Silverman's rule-of-thumb bandwidth (Silverman 1986, eq. 3.31). */
export function silvermanBandwidth(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const quantile = (q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
  const spread =
    Math.min(Math.sqrt(variance(values)), (quantile(0.75) - quantile(0.25)) / 1.34) || Math.sqrt(variance(values));
  return 0.9 * (spread || 1) * values.length ** -0.2;
}

/** Gaussian kernel density estimate on an even grid over [from, to]. */
export function kernelDensity(
  values: readonly number[],
  grid: { from: number; to: number; points?: number; bandwidth?: number },
): DensityCurve {
  const { from, to, points = 200, bandwidth = silvermanBandwidth(values) } = grid;
  const x = Array.from({ length: points }, (_, i) => from + ((to - from) * i) / (points - 1));
  const norm = 1 / (values.length * bandwidth * Math.sqrt(2 * Math.PI));
  const y = x.map(
    (at) => norm * values.reduce((sum, value) => sum + Math.exp(-0.5 * ((at - value) / bandwidth) ** 2), 0),
  );
  return { x, y };
}
