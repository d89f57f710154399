import { DTYPE_BITS, isDtype } from './dtype.js';

it('a format has the bits of its name; booleans take a byte, and complex numbers two floats', () => {
  for (const [name, bits] of Object.entries(DTYPE_BITS)) {
    const told = name === 'BOOL' ? 8 : Number(/^[A-Z]+(\d+)/.exec(name)![1]);
    expect([name, bits]).toEqual([name, told]);
    expect(isDtype(name)).toBe(true);
  }
  expect([isDtype('F31'), isDtype('toString'), isDtype('f32')]).toEqual([false, false, false]);
});
