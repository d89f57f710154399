import { parseSeeds } from './paper.js';

describe('--seeds', () => {
  it('takes numbers and ranges', () => {
    expect(parseSeeds('1001-1003, 7')).toEqual([1001, 1002, 1003, 7]);
  });

  it.each([
    ['a', /numbers and ranges/],
    ['5-', /numbers and ranges/],
    ['5-3', /rises/],
    ['1-5000', /rises/],
    ['9999999999999999999', /up to 1000000000/],
    ['3,3', /every seed once/],
    ['1', /other seeds than those that chose/],
  ])('refuses %j', (text, problem) => {
    expect(() => parseSeeds(text)).toThrow(problem);
  });
});
