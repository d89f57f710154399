import { colourOf, figure, HEIGHT, MARGIN, placeX, placeY, axisY, type Range, WIDTH } from '../charts/axes.js';
import { escapeHtml } from '../charts/html.js';
import type { Choice } from './results.js';

const bottom = HEIGHT - MARGIN.bottom;

/** An axis of probabilities by their logarithms. */
function logAxis(range: Range, label: string): string {
  const ticks = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1].filter(
    (p) => Math.log10(p) >= range.from && Math.log10(p) <= range.to,
  );
  const marks = ticks.map((p) => {
    const x = placeX(range)(Math.log10(p)).toFixed(1);
    return `<line x1="${x}" x2="${x}" y1="${bottom}" y2="${bottom + 4}" stroke="#444"/><text x="${x}" y="${bottom + 17}" text-anchor="middle">${Number((100 * p).toPrecision(1))}%</text>`;
  });
  const line = `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${bottom}" y2="${bottom}" stroke="#444"/>`;
  return `${line}${marks.join('')}<text x="${(WIDTH + MARGIN.left) / 2}" y="${HEIGHT - 6}" text-anchor="middle">${escapeHtml(label)}</text>`;
}

/** Every setting by what is left of the pattern and what that cost; the front is joined, the chosen one ringed. */
export function candidatesSvg({ tried, chosen, goal }: Choice): string {
  const xs = [...tried.map(({ patternP }) => Math.log10(patternP.end)), Math.log10(goal)];
  const ys = [0, ...tried.map(({ price }) => 100 * (price - 1))];
  const padded = (values: number[], least: number): Range => {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const pad = Math.max(least, 0.1 * (high - low));
    return { from: low - pad, to: high + pad };
  };
  const [rangeX, rangeY] = [padded(xs, 0.1), padded(ys, 0.1)];
  const [toX, toY] = [placeX(rangeX), placeY(rangeY)];
  const places = tried.map(({ patternP, price }) => [toX(Math.log10(patternP.end)), toY(100 * (price - 1))] as const);
  const points = tried.map(({ name, patternP, price }, i) => {
    const [x, y] = places[i].map((at) => at.toFixed(1));
    const told = `${name}: pattern ${(100 * patternP.end).toFixed(1)}%, perplexity ${(100 * (price - 1)).toFixed(1)}%`;
    const ring =
      name === chosen ? `<circle cx="${x}" cy="${y}" r="10" fill="none" stroke="currentColor" stroke-width="2"/>` : '';
    return `<g data-series="${i}">${ring}<circle cx="${x}" cy="${y}" r="6" fill="${colourOf(i)}"><title>${escapeHtml(told)}</title></circle></g>`;
  });
  const front = places
    .filter((_, i) => tried[i].onFront)
    .sort(([a], [b]) => a - b)
    .map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`);
  const goalX = toX(Math.log10(goal)).toFixed(1);
  const marks =
    `<line x1="${goalX}" x2="${goalX}" y1="${MARGIN.top}" y2="${bottom}" stroke="#888" stroke-dasharray="4 4"/>` +
    `<text x="${goalX}" y="${MARGIN.top + 10}" text-anchor="middle">goal</text>` +
    `<polyline points="${front.join(' ')}" fill="none" stroke="#888" stroke-width="1.5"/>`;
  const vertical = `<text transform="translate(14,${HEIGHT / 2}) rotate(-90)" text-anchor="middle">perplexity, %</text>`;
  const axes = axisY(rangeY) + logAxis(rangeX, 'what is left: probability of the pattern');
  return figure(
    'settings by what is left of the pattern and by their price',
    axes + marks + points.join('') + vertical,
  );
}
