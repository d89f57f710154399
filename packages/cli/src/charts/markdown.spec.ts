import { markdownCode, markdownList, markdownPage, markdownTable } from './markdown.js';

it('tables, lists and sections hold text as it is', () => {
  expect(markdownTable(['name', 'p'], [['a|b', '<1>\n2']])).toBe('| name | p |\n| --- | ---: |\n| a\\|b | \\<1\\> 2 |');
  expect(markdownTable(['name'], [])).toBe('');
  expect(markdownList(['*one*', 'two'])).toBe('- \\*one\\*\n- two');
});

it('code holds backticks', () => expect(markdownCode('a `b` c')).toBe('`` a `b` c ``'));

it('sections without a body are left out', () => {
  expect(
    markdownPage('T', [
      ['', 'first'],
      ['Empty', ' '],
      ['Next', 'more'],
    ]),
  ).toBe('# T\n\nfirst\n\n## Next\n\nmore\n');
});
