import { axisX, axisY, colourOf, figure, HEIGHT, placeX, placeY, type Range } from './axes.js';
import { escapeHtml } from './html.js';

/** A value with its interval. */
interface Measured {
  effect: number;
  low: number;
  high: number;
}

/** What is had for a price. */
export interface FrontPoint {
  name: string;
  x: Measured;
  y: Measured;
  onFront: boolean;
  /** It did not do what it is compared at: drawn as a ring. */
  isShort: boolean;
}

const padded = (values: readonly number[]): Range => {
  const [low, high] = [Math.min(...values, 0), Math.max(...values, 0)];
  const pad = 0.06 * (high - low || 1);
  return { from: low - pad, to: high + pad };
};

/** The front, from what costs least to what costs most: the order of its numbers in the figure. */
export const frontOf = (points: readonly FrontPoint[]): FrontPoint[] =>
  points.filter(({ onFront }) => onFront).sort((a, b) => a.x.effect - b.x.effect);

/** Points with their intervals; those of the front are joined and numbered, those that fell short are rings without intervals. */
export function frontSvg(points: readonly FrontPoint[], labels: { x: string; y: string }): string {
  const [rangeX, rangeY] = [
    padded(points.flatMap(({ x }) => [x.low, x.high])),
    padded(points.flatMap(({ y }) => [y.low, y.high])),
  ];
  const [toX, toY] = [placeX(rangeX), placeY(rangeY)];
  const front = frontOf(points);
  const drawn = points.map((point) => {
    const { name, x, y, onFront, isShort } = point;
    const number = front.indexOf(point) + 1;
    const [cx, cy] = [toX(x.effect).toFixed(1), toY(y.effect).toFixed(1)];
    const colour = onFront ? colourOf(0) : '#888';
    const bars = isShort
      ? ''
      : `<line x1="${toX(x.low).toFixed(1)}" x2="${toX(x.high).toFixed(1)}" y1="${cy}" y2="${cy}" stroke-opacity="0.4"/>` +
        `<line x1="${cx}" x2="${cx}" y1="${toY(y.low).toFixed(1)}" y2="${toY(y.high).toFixed(1)}" stroke-opacity="0.4"/>`;
    const told = `${name}: ${labels.x} ${x.effect.toFixed(1)}, ${labels.y} ${y.effect.toFixed(1)}`;
    // Above and below in turn, so that neighbours can be read.
    const text = onFront
      ? `<text x="${cx}" y="${(Number(cy) + (number % 2 === 1 ? -8 : 17)).toFixed(1)}" text-anchor="middle">${number}</text>`
      : '';
    return `${bars}<circle cx="${cx}" cy="${cy}" r="4" ${isShort ? `fill="none" stroke="${colour}"` : `fill="${colour}"`}><title>${escapeHtml(told)}</title></circle>${text}`;
  });
  const joined = front.map(({ x, y }) => `${toX(x.effect).toFixed(1)},${toY(y.effect).toFixed(1)}`);
  const line = `<polyline points="${joined.join(' ')}" fill="none" stroke="${colourOf(0)}" stroke-width="1.5" stroke-opacity="0.6"/>`;
  const vertical = `<text transform="translate(14,${HEIGHT / 2}) rotate(-90)" text-anchor="middle">${escapeHtml(labels.y)}</text>`;
  return figure(
    `${labels.y} by ${labels.x}`,
    `${axisX(rangeX, labels.x)}${axisY(rangeY)}${line}${drawn.join('')}${vertical}`,
  );
}
