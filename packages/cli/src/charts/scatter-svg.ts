import { colourOf, figure, WIDTH } from './axes.js';
import { escapeHtml } from './html.js';

const HEIGHT = 480;
const MARGIN = 12;

/** Points in a plane, of groups told by colour, as a figure. Axes are left out: their units mean nothing. */
export function scatterSvg(
  groups: readonly { name: string; points: readonly (readonly [number, number])[] }[],
  label: string,
): string {
  const all = groups.flatMap(({ points }) => points);
  const range = (axis: 0 | 1): [number, number] => {
    const values = all.map((point) => point[axis]);
    return [Math.min(...values), Math.max(...values)];
  };
  const place =
    ([low, high]: [number, number], size: number) =>
    (x: number) =>
      (MARGIN + ((x - low) / (high - low || 1)) * (size - 2 * MARGIN)).toFixed(1);
  const [toX, toY] = [place(range(0), WIDTH), place(range(1), HEIGHT)];
  const drawn = groups.map(({ name, points }, g) => {
    const circles = points.map(([x, y]) => `<circle cx="${toX(x)}" cy="${toY(y)}" r="2"/>`);
    return `<g data-series="${g}" fill="${colourOf(g)}" fill-opacity="0.55"><title>${escapeHtml(name)}</title>${circles.join('')}</g>`;
  });
  return figure(label, drawn.join(''), HEIGHT);
}
