import { exitCodeOf, parseDuration } from './repair.js';

it.each([
  ['30m', 1800],
  ['90s', 90],
  ['1.5h', 5400],
  ['1d', 86_400],
])('--budget %s is %d seconds', (text, seconds) => expect(parseDuration(text)).toBe(seconds));

it.each(['', '30', 'm', '-5m', '0m', '5 weeks'])('--budget %s is refused', (text) => {
  expect(() => parseDuration(text)).toThrow(`--budget: expected a time such as 30m, 90s, 2h or 1d, received "${text}"`);
});

it.each([
  ['advised', 'repaired', 0],
  ['advised', 'not-repaired', 3],
  ['advised', 'cannot-tell', 4],
  ['not-advised', 'not-run', 0],
  ['cannot-tell', 'not-run', 4],
] as const)('%s and %s exit with %d', (before, after, code) => {
  const verdict = <V>(of: V) => ({ verdict: of, why: '', advice: '', evidence: [] });
  const pattern = {
    threshold: 1,
    documents: 1,
    tokens: 0,
    share: { value: 0, low: 0, high: 0 },
    null: { value: 0, low: 0, high: 0 },
    pieces: [],
  };
  const mixture = { without: pattern.share, limit: 0, natural: 0, isMixed: false, files: [] };
  const found = { before: { ...verdict(before), pattern, mixture }, after: { ...verdict(after), followed: [] } };
  expect(exitCodeOf(found)).toBe(code);
});
