import { parsePythonJson } from './python-json.js';

describe('parsePythonJson', () => {
  it.each([
    ['{"a": NaN, "b": [NaN, 1]}', { a: null, b: [null, 1] }],
    ['{"a": -Infinity, "b": Infinity}', { a: -Infinity, b: Infinity }],
    ['{"a": "NaN, 2.0 and \\"Infinity\\""}', { a: 'NaN, 2.0 and "Infinity"' }],
    ['{"a": ["NaN", {"b": "2.0"}], "c": null}', { a: ['NaN', { b: '2.0' }], c: null }],
    ['{"a": 2.5, "b": 2, "c": -7}', { a: 2.5, b: 2, c: -7 }],
  ])('reads %s', (text, value) => {
    expect(parsePythonJson(text)).toEqual(value);
  });

  it('keeps apart 2.0 and 2', () => {
    const { a, b, c } = parsePythonJson('{"a": 2.0, "b": 2, "c": 1e3}') as Record<string, unknown>;
    expect([a instanceof Number, Number(a), b, c instanceof Number]).toEqual([true, 2, 2, true]);
  });

  it('finds 2.0 below texts, however deep', () => {
    const { a } = parsePythonJson('{"a": ["x", {"b": [2.0]}], "c": "1"}') as { a: [string, { b: unknown[] }] };
    expect(a[1].b[0]).toBeInstanceOf(Number);
  });

  it.each(['{"a": NaNs}', '{"a": 02.0}', '{NaN: 1}'])('refuses %s', (text) => {
    expect(() => parsePythonJson(text)).toThrow(SyntaxError);
  });
});
