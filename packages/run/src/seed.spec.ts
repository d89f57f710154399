import { seededRandom, threefry2x32 } from './seed.js';

describe('threefry2x32', () => {
  // Known answers of the Random123 distribution (kat_vectors, threefry2x32 with 20 rounds).
  it.each([
    [
      [0, 0],
      [0, 0],
      [0x6b200159, 0x99ba4efe],
    ],
    [
      [0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x1cb996fc, 0xbb002be7],
    ],
    [
      [0x13198a2e, 0x03707344],
      [0x243f6a88, 0x85a308d3],
      [0xc4923a9c, 0x483df7a0],
    ],
  ] as [[number, number], [number, number], [number, number]][])('key %j counter %j', (key, counter, expected) => {
    expect(threefry2x32(key, counter)).toEqual(expected);
  });
});

describe('seededRandom', () => {
  it('gives the same numbers for ever', () => {
    const random = seededRandom(1, 'data', 7);
    expect([random.next(), random.next(), random.int(1000), random.normal(), random.normal()]).toMatchInlineSnapshot(`
     [
       0.8653628009012375,
       0.7167280259842447,
       352,
       0.4120349949283403,
       1.2743164509925917,
     ]
    `);
    expect(seededRandom(2 ** 40 + 5).shuffle([0, 1, 2, 3, 4, 5, 6, 7])).toMatchInlineSnapshot(`
     [
       5,
       2,
       7,
       1,
       6,
       4,
       0,
       3,
     ]
    `);
  });

  it('names separate streams, and numbers differ from their digits', () => {
    const firsts = [
      seededRandom(1),
      seededRandom(2),
      seededRandom(2 ** 32 + 1),
      seededRandom(1, 'a'),
      seededRandom(1, 'b'),
      seededRandom(1, 7),
      seededRandom(1, '7'),
      seededRandom(1, 'a', 'b'),
      seededRandom(1, 'ab'),
      seededRandom(1, ''),
      seededRandom(1, 'a\0'),
    ].map((random) => random.next());
    expect(new Set(firsts).size).toBe(firsts.length);
  });

  it('is uniform: 16 bins of 64,000 numbers', () => {
    const random = seededRandom(3, 'uniform');
    const counts = Array.from({ length: 16 }, () => 0);
    for (let i = 0; i < 64000; i++) counts[Math.floor(random.next() * 16)]++;
    const chiSquare = counts.reduce((sum, count) => sum + (count - 4000) ** 2 / 4000, 0);
    expect(chiSquare).toBeLessThan(37.7); // 99.9% point of 15 degrees of freedom
  });

  it('draws integers from the whole range and only from it', () => {
    const random = seededRandom(4);
    const seen = new Set(Array.from({ length: 200 }, () => random.int(5)));
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4]);
    expect(() => random.int(0)).toThrow('int: expected 1 <= n <= 2^53, received 0');
  });

  it('draws normal numbers of mean 0, variance 1 and kurtosis 3', () => {
    const random = seededRandom(5);
    const values = Array.from({ length: 100000 }, () => random.normal());
    const moment = (power: number) => values.reduce((sum, value) => sum + value ** power, 0) / values.length;
    expect(Math.abs(moment(1))).toBeLessThan(0.015);
    expect(Math.abs(moment(2) - 1)).toBeLessThan(0.02);
    expect(Math.abs(moment(4) - 3)).toBeLessThan(0.15);
  });

  it('shuffles typed arrays into permutations', () => {
    const shuffled = seededRandom(6).shuffle(Int32Array.from({ length: 100 }, (_, i) => i));
    expect([...shuffled].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(shuffled[0] === 0 && shuffled[1] === 1 && shuffled[2] === 2).toBe(false);
  });

  it('refuses seeds that are not safe integers', () => {
    expect(() => seededRandom(-1)).toThrow('expected the seed to be a non-negative safe integer, received -1');
    expect(() => seededRandom(0.5)).toThrow(RangeError);
    expect(() => seededRandom(1, NaN)).toThrow('a numeric name');
  });
});
