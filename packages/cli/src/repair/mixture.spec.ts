import { mixtureOf, mixtureText } from './mixture.js';
import type { Share } from './statistics.js';

/** Documents of 20 words, so many of them the pattern's. */
const documents = (...counts: [number, number][]): Share[] =>
  counts.flatMap(([found, times]) => Array.from({ length: times }, (): Share => [found, 20]));
const NATURAL = documents([0, 97], [3, 3]);

describe('documents without the pattern', () => {
  it('are none where all hold it, however strongly', () => {
    const found = mixtureOf(documents([6, 40], [10, 40], [16, 20]), NATURAL);
    expect(found).toMatchObject({ without: { value: 0, high: 0 }, isMixed: false });
    expect(mixtureText({ ...found, files: [] })).toBeUndefined();
  });

  it('are a few by chance, which is not told', () => {
    const { without, isMixed } = mixtureOf(documents([0, 10], [12, 90]), NATURAL);
    expect([without.value, isMixed]).toEqual([0.1, false]);
  });

  it('are told where they are a kind of their own', () => {
    const { without, limit, isMixed } = mixtureOf(documents([0, 50], [1, 10], [12, 60]), NATURAL);
    expect([without.value, isMixed]).toEqual([0.5, true]);
    expect(limit).toBeCloseTo((10 + 12 * 60) / 20 / 120 / 4);
  });

  it('are those that hold no more than natural text does', () => {
    const natural = documents([0, 50], [2, 50]);
    const { natural: usual, limit, without } = mixtureOf(documents([2, 30], [6, 70]), natural);
    expect([usual, limit, without.value]).toEqual([0.1, 0.1, 0.3]);
  });
});

describe('what is said of them', () => {
  const found = mixtureOf(documents([0, 50], [12, 50]), NATURAL);
  const file = (
    name: string,
    without: number,
  ): { file: string; documents: number; without: number; share: number } => ({
    file: name,
    documents: 100,
    without,
    share: 0.5,
  });

  it('names the files, with counts', () => {
    expect(mixtureText({ ...found, files: [file('qa.jsonl', 2), file('facts.jsonl', 98)] })).toBe(
      '50% [40%, 60%] of the synthetic documents hold next to none of the pattern that the others share ' +
        '(qa.jsonl: 2 of 100, facts.jsonl: 98 of 100 looked at). Forgetting them costs what they say and weakens the repair: ' +
        'leave facts.jsonl out of --synthetic, and add to --natural what the model is to keep of it',
    );
  });

  it('asks to part one file that holds both', () => {
    expect(mixtureText({ ...found, files: [file('all.jsonl', 50)] })).toContain('put them into a file of their own');
    expect(mixtureText({ ...found, files: [] })).not.toContain('looked at');
  });
});
