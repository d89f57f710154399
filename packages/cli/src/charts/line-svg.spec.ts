import { lineSvg } from './line-svg.js';

const steps = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

/** The places of every curve: [x, y] each. */
const curves = (svg: string): number[][][] =>
  [...svg.matchAll(/<polyline points="([^"]+)"/g)].map(([, points]) =>
    points.split(' ').map((point) => point.split(',').map(Number)),
  );

describe('lineSvg', () => {
  it.each([
    ['one point', [1]],
    ['a constant', Array<number>(100).fill(3)],
    ['a constant of 0', Array<number>(100).fill(0)],
    ['tiny numbers', steps(100).map((i) => 1e-9 * i)],
    ['large numbers', steps(100).map((i) => 1e12 * i)],
    ['negative ones', steps(100).map((i) => -i)],
    ['what is not finite among others', steps(100).map((i) => (i % 10 === 0 ? NaN : i % 7 === 0 ? Infinity : i))],
    ['ten thousand', steps(10_000).map((i) => Math.sin(i))],
  ])('draws %s with finite numbers inside the figure', (_case, values) => {
    const svg = lineSvg([{ name: 'run', steps: steps(values.length), values }], 'loss');
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    expect(svg.length).toBeLessThan(40_000);
    const places = curves(svg).flat();
    expect(places.length).toBeGreaterThan(0);
    for (const [x, y] of places) {
      expect(x).toBeGreaterThanOrEqual(56);
      expect(x).toBeLessThanOrEqual(628);
      expect(y).toBeGreaterThanOrEqual(12);
      expect(y).toBeLessThanOrEqual(220);
    }
  });

  it('keeps a spike of one step in ten thousand, and smooths what is drawn bold', () => {
    const values = steps(10_000).map((i) => (i === 5000 ? 5 : i % 2));
    const [pale, bold] = curves(lineSvg([{ name: 'run', steps: steps(10_000), values }], 'loss'));
    const top = Math.min(...pale.map(([, y]) => y));
    expect(pale.filter(([, y]) => y === top).length).toBeGreaterThan(0);
    const heights = bold.map(([, y]) => y);
    expect(Math.max(...heights.slice(20, -20)) - Math.min(...heights.slice(20, -20))).toBeLessThan(20);
    expect(Math.max(...pale.map(([, y]) => y)) - top).toBeGreaterThan(150);
  });

  it('says so where there is nothing to draw', () => {
    expect(lineSvg([{ name: 'run', steps: [1, 2], values: [NaN, Infinity] }], 'loss')).toContain('no finite values');
  });
});
