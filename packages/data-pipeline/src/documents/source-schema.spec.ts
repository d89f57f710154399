import { expandVariables } from './source-schema.js';

const before = process.env['LETHE_DATA'];
beforeAll(() => (process.env['LETHE_DATA'] = '/data'));
afterAll(() => {
  if (before === undefined) delete process.env['LETHE_DATA'];
  else process.env['LETHE_DATA'] = before;
});

describe('variables in paths', () => {
  it('come from the environment, or have a default', () => {
    expect(expandVariables('${LETHE_DATA}/x')).toBe('/data/x');
    expect(expandVariables('${LETHE_NONE:-../shared}/x')).toBe('../shared/x');
    expect(expandVariables('a/$b/{c,d}')).toBe('a/$b/{c,d}');
    expect(() => expandVariables('${LETHE_NONE}/x')).toThrow(
      /LETHE_NONE is not set; set it, or write \$\{LETHE_NONE:-DEFAULT\}/,
    );
  });
});
