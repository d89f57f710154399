import { basename } from 'node:path';
import { brokenLinks, markdownFiles, missingPaths, textFiles, unknownDocuments } from './documents.js';

const documents = markdownFiles();

describe('the documents', () => {
  it('are there', () => {
    expect(documents).toEqual(expect.arrayContaining(['README.md', 'ARCHITECTURE.md', 'docs/math.md']));
    expect(documents.length).toBeGreaterThan(30);
  });

  it.each(documents)('%s links and cites what is there', (file) => {
    expect({ links: brokenLinks(file), paths: missingPaths(file) }).toEqual({ links: [], paths: [] });
  });

  it('are cited by their names everywhere', () => {
    // Besides the repository's own: what an export keeps of a model's card, and how pages of the log are named.
    const known = new Set([
      ...documents.map((path) => basename(path)),
      'SOURCE-README.md',
      'DATE-subject.md',
      'report.md',
      'training.md',
    ]);
    // This file names what is not there on purpose.
    const files = textFiles().filter((path) => path !== 'tests/architecture/documents.spec.ts');
    const wrong = files.flatMap((file) => unknownDocuments(file, known).map((name) => `${file}: ${name}`));
    expect(wrong).toEqual([]);
  });
});

describe('the checks of documents', () => {
  it('find links to no file and to no heading', () => {
    const text = '[a](docs/math.md) [b](docs/none.md) [c](#the-tree) [d](#no-such) [e](https://example.org/none)';
    expect(brokenLinks('README.md', text)).toEqual(['docs/none.md', '#no-such']);
  });

  it('find paths that are not there, through braces, stars and stems', () => {
    const text =
      '`packages/{run,none}/src`, `docs/*.md`, native/build/x, native/reference/<stem>.cpp, scripts/none/*.sh, tests/none.ts';
    expect(missingPaths('README.md', text)).toEqual(['packages/none/src', 'scripts/none/*.sh', 'tests/none.ts']);
  });

  it('find names of documents that no file has', () => {
    expect(unknownDocuments('x.ts', new Set(['math.md']), '// docs/math.md, NONE.md section 2, *.md')).toEqual([
      'NONE.md',
    ]);
  });
});
