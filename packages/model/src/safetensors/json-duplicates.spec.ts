import { findDuplicateKey } from './json-duplicates.js';

it.each([
  ['twice in one object', '{"a": 1, "b": 2, "a": 3}', 'a'],
  ['twice, with white space before the colon', '{"a" : 1, "a"\n\t:2}', 'a'],
  ['twice, written in two ways', String.raw`{"A": 1, "\u0041": 2}`, 'A'],
  ['twice in an inner object', '{"x": {"b": 1, "b": 2}}', 'b'],
  ['twice around an inner object', '{"x": {"y": 1}, "x": 2}', 'x'],
  ['twice around an inner object that ends in a string', '{"x": {"y": "z"}, "x": 2}', 'x'],
  ['twice around a list that ends in a string', '{"x": [{"y": 1}, "z"], "x": 2}', 'x'],
  ['twice around a list', '{"x": [1, {"y": 2}], "x": 2}', 'x'],
  ['in an object of a list', '[{"k": 1}, {"k": 1, "k": 2}]', 'k'],
  ['twice, after escaped quotes', String.raw`{"\"": 1, "q": "\\", "q": 2}`, 'q'],
  ['twice, after an escape and one letter', String.raw`{"a": "\nb", "a": 2}`, 'a'],
  ['twice, with an escaped backslash at its end', String.raw`{"z\\": 1, "z\\": 2}`, 'z\\'],
])('finds a key that occurs %s', (_where, json, key) => {
  JSON.parse(json);
  expect(findDuplicateKey(json)).toBe(key);
});

it.each([
  ['no key', '{}'],
  ['equal keys of two objects', '{"a": {"k": 1}, "b": {"k": 2}}'],
  ['a key and an equal value', '{"a": "a", "b": "a"}'],
  ['values that look like keys', String.raw`{"a": "\"a\": 1", "b": ["a", "a"]}`],
  ['keys that differ by an escape', String.raw`{"a": 1, "a\n": 2, "a\\n": 3}`],
])('finds none in a text with %s', (_what, json) => {
  JSON.parse(json);
  expect(findDuplicateKey(json)).toBeUndefined();
});

it('reads strings of a megabyte', () => {
  const long = JSON.stringify({ text: 'x"\\'.repeat(400_000), end: 1 });
  expect(findDuplicateKey(long)).toBeUndefined();
  expect(findDuplicateKey(`${long.slice(0, -1)}, "end": 2}`)).toBe('end');
});
