import { wrapLines } from './wrap.js';

it('breaks long lines at blanks, and what follows stands further in', () => {
  expect(wrapLines('  one two three\nfour', 9)).toBe('  one two\n    three\nfour');
  expect(wrapLines('one two three', 9)).toBe('one two\nthree');
  expect(wrapLines('short', 9)).toBe('short');
});

it('a command can still be copied', () =>
  expect(wrapLines('  lethe sweep unlearn --vary a=1', 24)).toBe('  lethe sweep unlearn \\\n    --vary a=1'));

it('a word longer than a line stays whole', () => expect(wrapLines('abcdefghij k', 5)).toBe('abcdefghij\nk'));
