import { EpochOrder } from './epoch-order.js';
import { Permutation } from './permutation.js';

describe('Permutation', () => {
  it.each([1, 2, 3, 4, 5, 17, 64, 1000, 4097])('of %i numbers holds each once', (size) => {
    const order = new Permutation(size, 42);
    const seen = Array.from({ length: size }, (_, i) => order.at(i));
    expect(seen.toSorted((a, b) => a - b)).toEqual(seen.map((_, i) => i));
  });

  it('is a function of its key', () => {
    const entries = (...key: number[]) =>
      Array.from({ length: 50 }, (_, i) => new Permutation(50, ...key).at(i)).join();
    expect(entries(1, 2)).toBe(entries(1, 2));
    const keys = [[1, 2], [2, 1], [1, 3], [1], [1, 2, 0], [2 ** 40 + 1, 2]];
    expect(new Set(keys.map((key) => entries(...key))).size).toBe(keys.length);
  });

  it('is fair: every entry goes everywhere about equally often', () => {
    const size = 10;
    const trials = 5000;
    const counts = Array.from({ length: size }, () => Array.from({ length: size }, () => 0));
    for (let seed = 0; seed < trials; seed++) {
      const order = new Permutation(size, seed);
      for (let i = 0; i < size; i++) counts[i]![order.at(i)]!++;
    }
    // Each count is binomial(5000, 0.1): mean 500, standard deviation 21; five of them bound 100 counts.
    for (const row of counts) for (const count of row) expect(Math.abs(count - trials / size)).toBeLessThan(5 * 21.3);
  });

  it('leaves no trace of the order', () => {
    const size = 20_000;
    const order = new Permutation(size, 7);
    let sum = 0;
    for (let i = 0; i < size; i++) sum += (i - size / 2) * (order.at(i) - size / 2);
    const correlation = sum / (size * (size ** 2 / 12));
    expect(Math.abs(correlation)).toBeLessThan(5 / Math.sqrt(size));
  });

  it('reaches sizes beyond 32 bits', () => {
    const order = new Permutation(2 ** 40 + 7, 1);
    const values = Array.from({ length: 2000 }, (_, i) => order.at(2 ** 39 + i));
    expect(new Set(values).size).toBe(2000);
    expect(Math.max(...values)).toBeGreaterThan(2 ** 39);
  });

  it('refuses what is outside', () => {
    expect(() => new Permutation(0)).toThrow(/at least 1, received 0/);
    expect(() => new Permutation(5).at(5)).toThrow(/0\.\.4, received 5/);
  });
});

describe('EpochOrder', () => {
  const rows = [5, 1, 7, 3, 2, 9, 4];

  it('visits every row of every group once, and stays within windows', () => {
    const order = new EpochOrder(rows, [3, 0], 2);
    const places = Array.from({ length: 31 }, (_, i) => order.at(i));
    const names = places.map(({ group, row }) => `${group}:${row}`);
    expect(new Set(names).size).toBe(31);
    expect(places.every(({ group, row }) => row < rows[group]!)).toBe(true);
    const changes = places
      .filter(({ group }, i) => !places.slice(0, i).some((place) => place.group === group))
      .map(({ group }) => group);
    const first = rows[changes[0]!]! + rows[changes[1]!]!;
    expect(new Set(places.slice(0, first).map(({ group }) => group)).size).toBe(2);
  });

  it('differs between epochs', () => {
    const names = (epoch: number) =>
      Array.from({ length: 31 }, (_, i) => JSON.stringify(new EpochOrder(rows, [3, epoch], 4).at(i)));
    expect(names(0)).not.toEqual(names(1));
    expect(names(0).toSorted()).toEqual(names(1).toSorted());
  });
});
