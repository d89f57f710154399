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
    expect(page).not.toMatch(/https?:|src=|<link|@import|url\(/);
  });
});

it('formatTable pads columns and trims line ends', () => {
  expect(formatTable(['a', 'bb'], [['ccc', 'd']])).toBe('a    bb\n---  --\nccc  d');
});
