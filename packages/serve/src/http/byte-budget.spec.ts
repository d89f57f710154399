import { ByteBudget } from './byte-budget.js';

describe('ByteBudget', () => {
  const large = 1 << 20;

  it('refuses what exceeds it until others are released, and lets small bodies pass', () => {
    const budget = new ByteBudget(2 * large);
    const [first, second, third] = [budget.hold(), budget.hold(), budget.hold()];
    first.grow(large / 2);
    first.grow(large);
    second.grow(large);
    expect(() => third.grow(70_000)).toThrow(expect.objectContaining({ status: 429 }) as Error);
    third.grow(60_000);
    first.release();
    first.release();
    third.grow(large);
    expect(() => budget.hold().grow(70_000)).toThrow(/2097152 bytes of requests and takes 2097152 at once; try again/);
  });
});
