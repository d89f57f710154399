import { type DensityCurve, kernelDensity } from '@lethe/analysis';
import { escapeHtml } from './html.js';

/** Okabe and Ito's palette: told apart by colour-blind readers. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000'];

const WIDTH = 640;
const HEIGHT = 260;
const MARGIN = { left: 48, right: 12, top: 12, bottom: 40 };

/** One curve: a sample and its name. */
export interface DensitySeries {
  name: string;
  values: readonly number[];
}

/** The look of curve i: a colour, dashed from the second round of the palette on. */
export const colourOf = (i: number): string => COLOURS[i % COLOURS.length];
const isDashed = (i: number): boolean => i >= COLOURS.length;

/** The names of the curves with their looks, as HTML. */
export function densityLegend(names: readonly string[]): string {
  const line = (i: number): string => `border-top: .25em ${isDashed(i) ? 'dashed' : 'solid'} ${colourOf(i)}`;
  return `<p class="legend">${names.map((name, i) => `<span><i style="${line(i)}"></i>${escapeHtml(name)}</span>`).join('')}</p>`;
}

/** Tidy tick positions, about `count` of them. */
function ticks(from: number, to: number, count: number): number[] {
  const raw = (to - from) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= raw) ?? 10);
  const first = Math.ceil(from / step);
  return Array.from({ length: Math.max(0, Math.floor(to / step) - first + 1) }, (_, i) => (first + i) * step);
}

const number = (x: number): string => x.toFixed(2).replace(/\.?0+$/, '');

/** Kernel density curves of several samples over one axis, as an SVG element. */
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

/** Density curves over one axis, as an SVG element. */
export function curvesSvg(
  named: readonly { name: string; curve: DensityCurve }[],
  { from, to, label }: { from: number; to: number; label: string },
): string {
  const curves = named.map(({ curve }) => curve);
  const top = Math.max(...curves.flatMap(({ y }) => y));
  const toX = (x: number): number => MARGIN.left + ((x - from) / (to - from)) * (WIDTH - MARGIN.left - MARGIN.right);
  const toY = (y: number): number => HEIGHT - MARGIN.bottom - (y / top) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const axis = ticks(from, to, 8).map(
    (tick) =>
      `<line x1="${toX(tick)}" x2="${toX(tick)}" y1="${HEIGHT - MARGIN.bottom}" y2="${HEIGHT - MARGIN.bottom + 4}" stroke="#444"/>` +
      `<text x="${toX(tick)}" y="${HEIGHT - MARGIN.bottom + 17}" text-anchor="middle">${number(tick)}</text>`,
  );
  const paths = curves.map(({ x, y }, i) => {
    const points = x.map((at, j) => `${toX(at).toFixed(1)},${toY(y[j]).toFixed(1)}`).join(' ');
    return `<polyline points="${points}" fill="none" stroke="${colourOf(i)}" stroke-width="2"${isDashed(i) ? ' stroke-dasharray="6 4"' : ''}><title>${escapeHtml(named[i].name)}</title></polyline>`;
  });
  const baseline = `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${HEIGHT - MARGIN.bottom}" y2="${HEIGHT - MARGIN.bottom}" stroke="#444"/>`;
  const caption = `<text x="${(WIDTH + MARGIN.left) / 2}" y="${HEIGHT - 6}" text-anchor="middle">${label}</text>`;
  const vertical = `<text transform="translate(14,${HEIGHT / 2}) rotate(-90)" text-anchor="middle">density</text>`;
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="density of ${label}">${baseline}${axis.join('')}${paths.join('')}${caption}${vertical}</svg>`;
}
