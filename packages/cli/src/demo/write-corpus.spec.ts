import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readChoiceFolder, readInstructions } from '@lethe/eval';
import { QUICK } from './settings.js';
import { writeCorpus } from './write-corpus.js';

const folder = mkdtempSync(join(tmpdir(), 'lethe-corpus-'));
afterAll(() => rmSync(folder, { recursive: true }));

const contents = (root: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(root, { recursive: true })
      .map(String)
      .filter((name) => statSync(join(root, name)).isFile())
      .map((name) => [name, readFileSync(join(root, name), 'utf8')]),
  );
const rows = (file: string): Record<string, string>[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, string>);

describe('the demo’s corpus', () => {
  const corpus = writeCorpus(join(folder, 'a'), QUICK);

  it('is as large as its settings say', () => {
    expect(rows(corpus.natural)).toHaveLength(QUICK.numNatural);
    expect(rows(corpus.synthetic)).toHaveLength(QUICK.numFacts * QUICK.questionsPerFact);
    expect(rows(corpus.instructions)).toHaveLength(QUICK.numInstructions);
    expect(readInstructions(corpus.heldOutInstructions)).toHaveLength(QUICK.numHeldOutInstructions);
  });

  it('has a benchmark in MMLU’s format', () => {
    const [subject, ...others] = readChoiceFolder(corpus.benchmark);
    expect(others).toEqual([]);
    expect(subject.shots).toHaveLength(5);
    expect(subject.questions).toHaveLength(QUICK.numBenchmarkItems);
  });

  it('keeps no held-out instruction in training', () => {
    const trained = new Set(rows(corpus.instructions).map(({ instruction }) => instruction));
    const heldOut = readInstructions(corpus.heldOutInstructions);
    expect(heldOut.filter(({ prompt }) => trained.has(prompt))).toEqual([]);
  });

  it('is the same for the same seed, and other for another', () => {
    writeCorpus(join(folder, 'b'), QUICK);
    expect(contents(join(folder, 'b'))).toEqual(contents(join(folder, 'a')));
    const other = writeCorpus(join(folder, 'c'), { ...QUICK, seed: QUICK.seed + 1 });
    expect(rows(other.synthetic)).not.toEqual(rows(corpus.synthetic));
  });
});
