import { axisX, axisY, curve, dots, figure, placeX, placeY, type Point, type Range } from './axes.js';

/** A measure over steps: value i was taken after step i of `steps`. */
export interface LineSeries {
  name: string;
  steps: readonly number[];
  values: readonly number[];
}

/** Curves of fewer points are drawn with their points and as they are; longer ones also smoothed. */
const FEW = 50;
/** Points of a curve that a figure of 640 units can show. */
const MOST = 600;
/** The share of a curve's points whose mean a point of the smoothed curve is. */
const SMOOTHED_SHARE = 0.02;

/** Curves of one measure over steps, as a figure. Values that are not finite are left out. */
export function lineSvg(series: readonly LineSeries[], label: string): string {
  const drawn = series.map(({ name, steps, values }) => {
    const points = steps.map((step, i): Point => [step, values[i]]).filter(([, value]) => Number.isFinite(value));
    return { name, points, smooth: points.length < FEW ? points : smoothed(points) };
  });
  const all = drawn.flatMap(({ points }) => points);
  if (all.length === 0) return '<p class="note">no finite values</p>';
  const rangeX = widened(rangeOf(all.map(([step]) => step)), 0);
  const rangeY = widened(
    rangeOf(drawn.flatMap(({ points, smooth }) => [...middle(points), ...valuesOf(smooth)])),
    0.05,
  );
  const toPlace = ([step, value]: Point): Point => [
    placeX(rangeX)(step),
    placeY(rangeY)(Math.min(rangeY.to, Math.max(rangeY.from, value))),
  ];
  const noise = drawn.map(({ name, points }, i) =>
    points.length < FEW
      ? dots(points, toPlace, { i, name })
      : curve(thinned(points), toPlace, { i, name, opacity: 0.25 }),
  );
  const lines = drawn.map(({ name, smooth }, i) => curve(thinned(smooth), toPlace, { i, name }));
  return figure(label, `${axisY(rangeY)}${axisX(rangeX, 'step')}${noise.join('')}${lines.join('')}`);
}

const valuesOf = (points: readonly Point[]): number[] => points.map(([, value]) => value);

/** Centred running means. */
function smoothed(points: readonly Point[]): Point[] {
  const half = Math.max(1, Math.round((SMOOTHED_SHARE * points.length) / 2));
  const sums = [0];
  for (const [, value] of points) sums.push(sums.at(-1)! + value);
  return points.map(([step], i) => {
    const reach = Math.min(half, i, points.length - 1 - i);
    return [step, (sums[i + reach + 1] - sums[i - reach]) / (2 * reach + 1)];
  });
}

/** At most MOST points: the smallest and the largest of each stretch, so that a spike of one step stays. */
function thinned(points: readonly Point[]): readonly Point[] {
  if (points.length <= MOST) return points;
  const stretch = Math.ceil((2 * points.length) / MOST);
  const kept: Point[] = [];
  for (let begin = 0; begin < points.length; begin += stretch) {
    const part = points.slice(begin, begin + stretch);
    const least = part.reduce((a, b) => (b[1] < a[1] ? b : a));
    const most = part.reduce((a, b) => (b[1] > a[1] ? b : a));
    kept.push(...(least === most ? [least] : [least, most].sort(([a], [b]) => a - b)));
  }
  return kept;
}

/** The values but for the most extreme hundredth at either end, which would flatten the rest. */
function middle(points: readonly Point[]): number[] {
  const sorted = valuesOf(points).sort((a, b) => a - b);
  const cut = Math.floor(sorted.length / 100);
  return sorted.slice(cut, sorted.length - cut);
}

const rangeOf = (values: readonly number[]): Range =>
  values.reduce(({ from, to }, x) => ({ from: Math.min(from, x), to: Math.max(to, x) }), {
    from: Infinity,
    to: -Infinity,
  });

/** A range with something on either side, and never empty. */
function widened({ from, to }: Range, share: number): Range {
  const pad = to > from ? share * (to - from) : Math.abs(from) / 10 || 0.5;
  return { from: from - pad, to: to + pad };
}
