import { part, partOf } from './part.js';

it('the parts of a list are all of it, each element once, and as long as each other but for one', () => {
  const runs = [...'abcdefg'];
  for (const count of [1, 2, 3, 7, 9]) {
    const parts = Array.from({ length: count }, (_, index) => partOf(runs, { index, of: count }));
    expect(parts.flat().sort()).toEqual(runs);
    const sizes = parts.map(({ length }) => length);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
  }
});

it('a part is read as it is written', () => {
  expect(part('1/1')).toEqual({ index: 0, of: 1 });
  expect(part('2/6')).toEqual({ index: 1, of: 6 });
});

it.each(['0/6', '7/6', '2', '2/', 'a/b', '1/0', '-1/2', '1/2/3'])('%s is no part', (text) => {
  expect(() => part(text)).toThrow('expected I/N');
});
