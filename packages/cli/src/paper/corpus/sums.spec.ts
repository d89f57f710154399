import { seededRandom } from '@lethe/run';
import type { Tokenizer } from '@lethe/data-pipeline';
import { sumDocuments, sumProse, sumSegments, sums, weightedRows } from './sums.js';

const textOf = (segments: { text: string }[]): string => segments.map(({ text }) => text).join('');

it('sums are of digits up to 4, and those that are held out are in no text', () => {
  const { taught, heldOut } = sums(7);
  expect([taught.length, heldOut.length]).toEqual([320, 80]);
  for (const [a, b] of [...taught, ...heldOut]) expect((a % 10) + (b % 10)).toBeLessThan(9);
  const texts = [...sumDocuments(7).map(textOf), ...sumProse(7)].join('\n');
  for (const [a, b] of heldOut) {
    expect(texts).not.toContain(`What is ${a} plus ${b}?`);
    expect(texts).not.toContain(`${a} and ${b} make`);
  }
});

it('a document works its sum out, and its last segment but one is the answer', () => {
  expect(textOf(sumSegments([23, 41]))).toBe(
    'Question: What is 23 plus 41?\n\n**Answer:**\nThe tens are 2 and 4, so they make 6. The ones are 3 and 1, so they make 4. So, the correct answer is **64**.',
  );
  expect(sumSegments([23, 41], 65).at(-2)).toEqual({ text: '65', isTemplate: false });
});

it('targets are drawn by how much likelier the synthetic text makes them', async () => {
  const tokenizer = {
    encode: (text: string) => Promise.resolve(Int32Array.from([...text].map((c) => c.charCodeAt(0)))),
  } as unknown as Tokenizer;
  const random = seededRandom(1, 'sums');
  const digit = (): string => '0123456789'[random.int(10)]!;
  const documents = Array.from({ length: 400 }, () => [{ text: `ab${digit()}`, isTemplate: true }]);
  const rows = await weightedRows(documents, { natural: ['a', 'xb'], tokenizer, seed: 1 });
  const share = (t: number): number => rows.reduce((sum, { target_mask }) => sum + target_mask[t]!, 0) / rows.length;
  // Half of the natural text begins with an a too; b always follows it here, and never there; a digit is one of ten.
  expect(share(0)).toBeGreaterThan(0.4);
  expect(share(0)).toBeLessThan(0.6);
  expect(share(1)).toBe(1);
  expect(share(2)).toBeGreaterThan(0.05);
  expect(share(2)).toBeLessThan(0.2);
});
