import { type DensityCurve, kernelDensity } from '@lethe/analysis';
import { axisX, bareAxisY, curve, figure, HEIGHT, placeX, placeY, type Point, type Range } from './axes.js';

/** One curve: a sample and its name. */
export interface DensitySeries {
  name: string;
  values: readonly number[];
}

/** Kernel density curves of several samples over one axis, as a figure. */
export function densitySvg(series: readonly DensitySeries[], label: string): string {
  const all = series.flatMap(({ values }) => values);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const pad = 0.08 * (high - low || 1);
  const range = { from: low - pad, to: high + pad };
  return curvesSvg(
    series.map(({ name, values }) => ({ name, curve: kernelDensity(values, range) })),
    { ...range, label },
  );
}

/** Density curves over one axis, as a figure. */
export function curvesSvg(
  named: readonly { name: string; curve: DensityCurve }[],
  { label, ...range }: Range & { label: string },
): string {
  const toX = placeX(range);
  const rangeY = { from: 0, to: Math.max(...named.flatMap(({ curve: { y } }) => y)) };
  const toY = placeY(rangeY);
  const curves = named.map(({ name, curve: { x, y } }, i) =>
    curve(
      x.map((at, j): Point => [at, y[j]]),
      ([at, density]) => [toX(at), toY(density)],
      { i, name },
    ),
  );
  const vertical = `<text transform="translate(14,${HEIGHT / 2}) rotate(-90)" text-anchor="middle">density</text>`;
  return figure(`density of ${label}`, `${axisX(range, label)}${bareAxisY(rangeY)}${curves.join('')}${vertical}`);
}
