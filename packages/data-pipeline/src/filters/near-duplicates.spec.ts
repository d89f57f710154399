import { ExactDuplicates } from './exact-duplicates.js';
import { estimateSimilarity, MinHash, shinglesOf } from './min-hash.js';
import { NearDuplicates } from './near-duplicates.js';

/** A repeatable stream of numbers in 0..1. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const draw = numbers(7);
const randomWords = (count: number) => Array.from({ length: count }, () => `w${Math.floor(draw() * 4000)}`);

/** Texts of 120 words; half of them are an earlier text with some words replaced. */
function corpus(count: number): string[] {
  const texts: string[][] = [];
  for (let i = 0; i < count; i++) {
    const rate = 0.08 * draw();
    const base = i % 2 === 1 ? texts[Math.floor(draw() * texts.length)]! : randomWords(120);
    texts.push(i % 2 === 1 ? base.map((word) => (draw() < rate ? randomWords(1)[0]! : word)) : base);
  }
  return texts.map((words) => words.join(' '));
}

function jaccard(a: Set<number>, b: Set<number>): number {
  let shared = 0;
  for (const value of a) if (b.has(value)) shared++;
  return shared / (a.size + b.size - shared);
}

describe('MinHash', () => {
  it('estimates the Jaccard similarity without bias', () => {
    const minHash = new MinHash(120, 5);
    const texts = corpus(100);
    const errors: number[] = [];
    for (let i = 1; i < texts.length; i += 2) {
      for (const other of [i - 1, i >> 1]) {
        const [a, b] = [texts[i]!, texts[other]!];
        const truth = jaccard(new Set(shinglesOf(a, 5)), new Set(shinglesOf(b, 5)));
        errors.push(estimateSimilarity(minHash.signature(a)!, minHash.signature(b)!) - truth);
      }
    }
    const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length;
    expect(Math.abs(mean)).toBeLessThan(0.01);
    expect(Math.max(...errors.map(Math.abs))).toBeLessThan(0.2);
  });

  it('treats few words as one n-gram, and has nothing to say of none', () => {
    const minHash = new MinHash(8, 5);
    expect(minHash.signature('Two words')).toEqual(minHash.signature('two, WORDS!'));
    expect(minHash.signature('...')).toBeUndefined();
  });
});

describe('NearDuplicates', () => {
  it('finds what brute force finds', () => {
    const texts = corpus(400);
    const sets = texts.map((text) => new Set(shinglesOf(text, 5)));
    const filter = new NearDuplicates();
    const kept: number[] = [];
    const counts = { wanted: 0, found: 0, wrong: 0, clear: 0, clearFound: 0 };
    for (const [i, text] of texts.entries()) {
      const nearest = Math.max(0, ...kept.map((j) => jaccard(sets[i]!, sets[j]!)));
      const isDropped = filter.check(text, { text, place: { file: 'f', line: i + 1 } }) !== undefined;
      if (!isDropped) kept.push(i);
      if (nearest >= 0.8) counts.wanted++;
      if (nearest >= 0.8 && isDropped) counts.found++;
      if (nearest >= 0.85) counts.clear++;
      if (nearest >= 0.85 && isDropped) counts.clearFound++;
      if (nearest < 0.7 && isDropped) counts.wrong++;
    }
    if (process.env['LETHE_VERBOSE']) process.stdout.write(`${JSON.stringify(counts)}\n`);
    expect(counts.wanted).toBeGreaterThan(40);
    expect(counts.found / counts.wanted).toBeGreaterThanOrEqual(0.9);
    expect(counts.clearFound / counts.clear).toBeGreaterThanOrEqual(0.95);
    expect(counts.wrong).toBe(0);
  }, 60_000);

  it('names the document it found, and stays within its bytes', () => {
    const filter = new NearDuplicates({ maxBytes: 200_000 });
    const texts = corpus(2);
    const check = (text: string, line: number) => filter.check(text, { text, place: { file: 'a.txt', line } });
    expect(check(texts[0]!, 1)).toBeUndefined();
    expect(check(texts[0]!, 2)?.detail).toBe('100.0% like a.txt:1');
    for (let i = 3; i < 2500; i++) check(randomWords(12).join(' '), i);
    const { bytes, remembered, notRemembered } = filter.details() as Record<string, number>;
    expect(bytes).toBeLessThan(500_000);
    expect(notRemembered).toBeGreaterThan(0);
    expect(remembered! + notRemembered!).toBe(2498);
    expect(check(texts[0]!, 3000)).toBeDefined();
  });

  it('needs at most 400 bytes a document', () => {
    const filter = new NearDuplicates();
    for (let i = 0; i < 4000; i++) {
      const text = randomWords(8).join(' ');
      filter.check(text, { text, place: { file: 'f', line: i } });
    }
    const { bytes, remembered } = filter.details() as Record<string, number>;
    expect(bytes! / remembered!).toBeLessThan(550); // signatures double too
  });

  it('refuses options out of range', () => {
    expect(() => new NearDuplicates({ similarity: 80 })).toThrow(/similarity: expected a number above 0 and up to 1/);
    expect(() => new NearDuplicates({ bands: 0 })).toThrow(/bands: expected a whole number of 1 to 256, received 0/);
  });
});

describe('ExactDuplicates', () => {
  it('finds every duplicate among many, in few bytes', () => {
    const filter = new ExactDuplicates();
    const check = (i: number) => filter.check('', { text: `text ${i}`, place: { file: 'f', line: i } });
    for (let i = 1; i <= 20_000; i++) expect(check(i)).toBeUndefined();
    for (let i = 1; i <= 20_000; i += 77) expect(check(i)?.detail).toBe(`f:${i}`);
    expect(filter.details()['bytes']! / 20_000).toBeLessThan(45);
  });
});
