import { type FrontPoint, frontOf, frontSvg } from './front-svg.js';
import { formatTable } from '../command-line/table.js';
import { densitySvg } from './density-svg.js';
import { escapeHtml, htmlPage, htmlTable } from './html.js';

describe('densitySvg', () => {
  const series = (values: number[][]): Parameters<typeof densitySvg>[0] =>
    values.map((sample, i) => ({ name: `model ${i}`, values: sample }));

  it.each([
    [
      'two samples',
      [
        [1, 2, 3, 2.5],
        [4, 5, 6.5],
      ],
    ],
    ['one value repeated', [[2, 2, 2]]],
    [
      'a far outlier',
      [
        [1, 2, 1e6],
        [1, 1.5],
      ],
    ],
    [
      'tiny spreads',
      [
        [1, 1 + 1e-9],
        [1, 1],
      ],
    ],
    [
      'negative values',
      [
        [-5, -4],
        [-1, 3],
      ],
    ],
  ])('draws %s with finite numbers inside the picture', (_case, values) => {
    const svg = densitySvg(series(values), 'label');
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    const curves = [...svg.matchAll(/<polyline points="([^"]+)"/g)].map(([, points]) => points);
    expect(curves).toHaveLength(values.length);
    for (const point of curves.join(' ').split(' ')) {
      const [x, y] = point.split(',').map(Number);
      expect(x).toBeGreaterThanOrEqual(0);
      expect(x).toBeLessThanOrEqual(640);
      expect(y).toBeGreaterThanOrEqual(0);
      expect(y).toBeLessThanOrEqual(260);
    }
  });
});

describe('html', () => {
  it('escapes text', () => {
    expect(escapeHtml('<a href="x">&')).toBe('&lt;a href=&quot;x&quot;&gt;&amp;');
    expect(htmlPage('a<b', '')).toContain('<title>a&lt;b</title>');
  });

  it('a page needs nothing from elsewhere', () => {
    const page = htmlPage('t', htmlTable(['a', 'b'], [['x', '1']]));
    expect(page).toContain('<th scope="row">x</th><td>1</td>');
    expect(page.slice(0, page.indexOf('<script'))).not.toMatch(/https?:|src=|<link|@import|url\(/);
  });
});

it('formatTable pads columns and trims line ends', () => {
  expect(formatTable(['a', 'bb'], [['ccc', 'd']])).toBe('a    bb\n---  --\nccc  d');
});

describe('what is had for a price', () => {
  const at = (name: string, x: number, y: number, more: Partial<FrontPoint> = {}): FrontPoint => ({
    name,
    x: { effect: x, low: x - 1, high: x + 1 },
    y: { effect: y, low: y - 1, high: y + 1 },
    onFront: true,
    isShort: false,
    ...more,
  });
  const points = [
    at('dear', 5, 9),
    at('cheap', 1, 4),
    at('beaten', 6, 3, { onFront: false }),
    at('short', 0, 1, { onFront: false, isShort: true }),
  ];

  it('the front goes from what costs least, and its numbers say so', () => {
    expect(frontOf(points).map(({ name }) => name)).toEqual(['cheap', 'dear']);
    const svg = frontSvg(points, { x: 'cost', y: 'gain' });
    expect(
      [...svg.matchAll(/text-anchor="middle">(\d)<\/text><circle|<\/circle><text [^>]*>(\d)</g)].map((m) => m[2]),
    ).toEqual(['2', '1']);
  });

  it('what fell short is a ring without an interval', () => {
    const svg = frontSvg(points, { x: 'cost', y: 'gain' });
    expect(svg.match(/fill="none" stroke="#888"/g)).toHaveLength(1);
    expect(svg.match(/stroke-opacity="0.4"/g)).toHaveLength(6);
    expect(svg).toContain('short: cost 0.0, gain 1.0');
  });
});
