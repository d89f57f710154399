import { onFront } from './pareto.js';

describe('onFront', () => {
  it('keeps what nothing else beats in every coordinate', () => {
    const points = [
      [1, 9],
      [5, 5],
      [9, 1],
      [5, 6], // [5, 5] is as small and smaller.
      [9, 9],
    ];
    expect(onFront(points)).toEqual([true, true, true, false, false]);
  });

  it('keeps equal points, the smallest of one coordinate, and a single point', () => {
    expect(
      onFront([
        [1, 2],
        [1, 2],
      ]),
    ).toEqual([true, true]);
    expect(onFront([[3], [2], [4]])).toEqual([false, true, false]);
    expect(onFront([[7, 7, 7]])).toEqual([true]);
    expect(onFront([])).toEqual([]);
  });
});
