import { combinationsOf, labelsOf } from './grid.js';

const lr = { key: 'optimizer.lr', values: [1e-5, 5e-5] };
const method = { key: 'objective.method', values: ['complement', 'ga'] };
const names = (...variations: Parameters<typeof combinationsOf>[0]): string[] =>
  combinationsOf(variations).map(({ name }) => name);

describe('combinationsOf', () => {
  it('is the product, the last key fastest', () => {
    expect(combinationsOf([method, lr])).toEqual([
      { name: 'lr-1e-5_method-complement', vary: ['objective.method=complement', 'optimizer.lr=1e-5'] },
      { name: 'lr-5e-5_method-complement', vary: ['objective.method=complement', 'optimizer.lr=5e-5'] },
      { name: 'lr-1e-5_method-ga', vary: ['objective.method=ga', 'optimizer.lr=1e-5'] },
      { name: 'lr-5e-5_method-ga', vary: ['objective.method=ga', 'optimizer.lr=5e-5'] },
    ]);
  });

  it('names a combination alike in a larger grid and in another order', () => {
    const more = { ...lr, values: [1e-4, ...lr.values] };
    expect(names(more, method)).toEqual(expect.arrayContaining(names(method, lr)));
  });

  it('uses whole keys where their last parts are the same', () => {
    const keys = ['objective.weights.replay', 'data.replay'];
    expect(labelsOf(keys)).toEqual(keys);
    expect(labelsOf(['a.b', 'a.c'])).toEqual(['b', 'c']);
  });

  it('gives every value a folder of its own, of letters, digits, "_", "-" and "."', () => {
    const values = ['a/b', 'a-b', 'a b', ['a', 'b'], { a: 'b' }, '../up', 'x'.repeat(300), `${'x'.repeat(300)}y`];
    const found = names({ key: 'model.init', values });
    expect(new Set(found).size).toBe(values.length);
    for (const name of found) expect(name).toMatch(/^init-[\w.-]{1,140}$/);
  });
});
