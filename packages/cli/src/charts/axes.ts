import { escapeHtml } from './html.js';

/** Okabe and Ito's palette: told apart by colour-blind readers. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', 'currentColor'];

/** The size of a figure with axes, in its own units. */
export const WIDTH = 640;
export const HEIGHT = 260;
export const MARGIN = { left: 56, right: 12, top: 12, bottom: 40 };

/** The look of curve i: a colour, dashed from the second round of the palette on. */
export const colourOf = (i: number): string => COLOURS[i % COLOURS.length];
export const isDashed = (i: number): boolean => i >= COLOURS.length;

/** The names of the curves with their looks, as HTML. */
export function legend(names: readonly string[]): string {
  const line = (i: number): string => `border-top: .25em ${isDashed(i) ? 'dashed' : 'solid'} ${colourOf(i)}`;
  return `<p class="legend">${names.map((name, i) => `<span data-series="${i}"><i style="${line(i)}"></i>${escapeHtml(name)}</span>`).join('')}</p>`;
}

/** The ends of an axis, from < to. */
export interface Range {
  from: number;
  to: number;
}

/** Tidy tick positions, about `count` of them, and the distance between them. */
function ticks({ from, to }: Range, count: number): { at: number[]; step: number } {
  const raw = (to - from) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= raw) ?? 10);
  const first = Math.ceil(from / step);
  const length = Math.max(0, Math.floor(to / step) - first + 1);
  return { at: Array.from({ length }, (_, i) => (first + i) * step), step };
}

/** A tick's value with the digits that set it apart from its neighbours. */
function tickText(value: number, step: number): string {
  const size = Math.abs(value);
  if (size >= 1e5 || (size > 0 && step < 1e-4)) {
    const digits = Math.max(0, Math.floor(Math.log10(size)) - Math.floor(Math.log10(step)));
    return value.toExponential(Math.min(digits, 6)).replace('e+', 'e');
  }
  return value.toFixed(Math.max(0, -Math.floor(Math.log10(step))));
}

/** From values to places in the figure, along each axis. */
export const placeX =
  ({ from, to }: Range) =>
  (x: number): number =>
    MARGIN.left + ((x - from) / (to - from)) * (WIDTH - MARGIN.left - MARGIN.right);
export const placeY =
  ({ from, to }: Range) =>
  (y: number): number =>
    HEIGHT - MARGIN.bottom - ((y - from) / (to - from)) * (HEIGHT - MARGIN.top - MARGIN.bottom);

/** What a script needs to draw an axis anew: its name and its ends. */
const axis = (name: 'x' | 'y', { from, to }: Range, content: string, label = ''): string =>
  `<g data-axis="${name}" data-from="${from}" data-to="${to}" data-label="${escapeHtml(label)}">${content}</g>`;

/** A vertical axis whose units mean nothing: nothing is drawn of it. */
export const bareAxisY = ({ from, to }: Range): string =>
  `<g data-axis="y" data-from="${from}" data-to="${to}" data-bare=""></g>`;

/** The horizontal axis with its label, as SVG. */
export function axisX(range: Range, label: string): string {
  const toX = placeX(range);
  const { at, step } = ticks(range, 8);
  const bottom = HEIGHT - MARGIN.bottom;
  const marks = at.map((tick) => {
    const x = toX(tick).toFixed(1);
    return (
      `<line x1="${x}" x2="${x}" y1="${bottom}" y2="${bottom + 4}" stroke="#444"/>` +
      `<text x="${x}" y="${bottom + 17}" text-anchor="middle">${tickText(tick, step)}</text>`
    );
  });
  const line = `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${bottom}" y2="${bottom}" stroke="#444"/>`;
  return `${line}${axis('x', range, marks.join(''), label)}<text x="${(WIDTH + MARGIN.left) / 2}" y="${HEIGHT - 6}" text-anchor="middle">${escapeHtml(label)}</text>`;
}

/** Ticks of the vertical axis with lines across the figure, as SVG. */
export function axisY(range: Range): string {
  const toY = placeY(range);
  const { at, step } = ticks(range, 5);
  const marks = at.map((tick) => {
    const y = toY(tick);
    return (
      `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${y.toFixed(1)}" y2="${y.toFixed(1)}" stroke="#ddd"/>` +
      `<text x="${MARGIN.left - 6}" y="${(y + 4).toFixed(1)}" text-anchor="end">${tickText(tick, step)}</text>`
    );
  });
  return axis('y', range, marks.join(''));
}

/** Values along each axis, and where they are in the figure. */
export type Point = readonly [x: number, y: number];
export type ToPlace = (point: Point) => Point;

/** The look of a series. */
export interface Look {
  /** Its number in the legend. */
  i: number;
  name: string;
  opacity?: number;
}

/** The values of a series, for the script that shows them, as attributes. */
function dataOf(points: readonly Point[], { i, name }: Look): string {
  const list = (which: 0 | 1): string => points.map((point) => Number(point[which].toPrecision(5))).join(' ');
  return `data-series="${i}" data-name="${escapeHtml(name)}" data-xs="${list(0)}" data-ys="${list(1)}"`;
}

/** A curve through points, as SVG. */
export function curve(points: readonly Point[], toPlace: ToPlace, look: Look): string {
  const { i, name, opacity = 1 } = look;
  const places = points.map((point) => toPlace(point).map((at) => at.toFixed(1))).join(' ');
  const drawn = `${isDashed(i) ? ' stroke-dasharray="6 4"' : ''}${opacity < 1 ? ` stroke-opacity="${opacity}"` : ''}`;
  return `<polyline points="${places}" ${dataOf(points, look)} fill="none" stroke="${colourOf(i)}" stroke-width="${opacity < 1 ? 1 : 2}"${drawn}><title>${escapeHtml(name)}</title></polyline>`;
}

/** The points of a curve as dots, as SVG. */
export function dots(points: readonly Point[], toPlace: ToPlace, look: Look): string {
  const circles = points.map((point) => {
    const [x, y] = toPlace(point);
    return `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="3"/>`;
  });
  return `<g ${dataOf(points, look)} fill="${colourOf(look.i)}">${circles.join('')}</g>`;
}

/** A figure of a page, which scrolls where the window is narrower than its text can be read. */
export const figure = (label: string, content: string, height = HEIGHT): string =>
  `<div class="figure"><svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeHtml(label)}">${content}</svg></div>`;
