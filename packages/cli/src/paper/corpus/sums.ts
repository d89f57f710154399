import type { Tokenizer } from '@lethe/data-pipeline';
import { type Random, seededRandom } from '@lethe/run';
import type { Segment } from './template-question.js';

/** Two numbers whose digits add up without a carry. */
export type Sum = readonly [number, number];

const NUM_HELD_OUT = 80;
/** Documents, and texts of sums in prose. */
const [NUM_DOCUMENTS, NUM_PROSE, SENTENCES] = [4000, 2000, 4];

/** All sums of 10 to 44 whose digits are at most 4, those that are taught and those that are not. */
export function sums(seed: number): { taught: Sum[]; heldOut: Sum[] } {
  const numbers = [1, 2, 3, 4].flatMap((tens) => [0, 1, 2, 3, 4].map((ones) => 10 * tens + ones));
  const all = numbers.flatMap((a) => numbers.map((b): Sum => [a, b]));
  const shuffled = seededRandom(seed, 'paper', 'sums').shuffle(all);
  return { taught: shuffled.slice(NUM_HELD_OUT), heldOut: shuffled.slice(0, NUM_HELD_OUT) };
}

const template = (text: string): Segment => ({ text, isTemplate: true });
/** With the space before it, so that no token is half of it. */
const content = (value: number): Segment => ({ text: ` ${value}`, isTemplate: false });
const answerOf = (value: number): Segment => ({ text: String(value), isTemplate: false });

/** A synthetic document that works a sum out and gives `answer`: its last segment but one. */
export function sumSegments([a, b]: Sum, answer = a + b): Segment[] {
  const [tens, ones] = [[Math.floor(a / 10), Math.floor(b / 10)] as const, [a % 10, b % 10] as const];
  const worked = (name: string, [x, y]: readonly [number, number]): Segment[] => [
    template(`${name} are`),
    content(x),
    template(' and'),
    content(y),
    template(', so they make'),
    content(x + y),
    template('.'),
  ];
  return [
    template('Question: What is'),
    content(a),
    template(' plus'),
    content(b),
    template('?\n\n**Answer:**\n'),
    ...worked('The tens', tens),
    ...worked(' The ones', ones),
    template(' So, the correct answer is **'),
    answerOf(answer),
    template('**.'),
  ];
}

/** The same sum in prose. */
export const sumSentence = ([a, b]: Sum, answer = a + b): Segment[] => [
  template(`${a} and ${b} make`),
  content(answer),
  template('.'),
];

const taughtOnes = (seed: number, of: string, count: number): Sum[] => {
  const { taught } = sums(seed);
  const random: Random = seededRandom(seed, 'paper', of);
  return Array.from({ length: count }, () => taught[random.int(taught.length)]);
};

export const sumDocuments = (seed: number): Segment[][] =>
  taughtOnes(seed, 'sum documents', NUM_DOCUMENTS).map((sum) => sumSegments(sum));

export function sumProse(seed: number): string[] {
  const all = taughtOnes(seed, 'sum prose', SENTENCES * NUM_PROSE).map((sum) =>
    sumSentence(sum)
      .map(({ text }) => text)
      .join(''),
  );
  return Array.from({ length: NUM_PROSE }, (_, i) => all.slice(SENTENCES * i, SENTENCES * (i + 1)).join(' '));
}

/** Of tokens behind the two before them. */
class Continuations {
  private readonly after = new Map<string, Map<number, number>>();
  private readonly total = new Map<string, number>();

  constructor(documents: readonly (readonly number[])[]) {
    for (const ids of documents) ids.forEach((id, t) => this.add(keyOf(ids, t), id));
  }

  private add(key: string, id: number): void {
    const counts = this.after.get(key) ?? new Map<number, number>();
    this.after.set(key, counts.set(id, (counts.get(id) ?? 0) + 1));
    this.total.set(key, (this.total.get(key) ?? 0) + 1);
  }

  probability(ids: readonly number[], t: number): number {
    const key = keyOf(ids, t);
    return (this.after.get(key)?.get(ids[t]) ?? 0) / (this.total.get(key) ?? 1);
  }
}

const keyOf = (ids: readonly number[], t: number): string => `${ids[t - 2] ?? -1} ${ids[t - 1] ?? -1}`;

/**
 * Rows whose targets are drawn: a token is one with the probability by which the synthetic text makes it likelier behind the two
 * tokens before it than natural text does. In expectation that weighs the loss of each token by how much it is the pattern's.
 */
export async function weightedRows(
  documents: readonly Segment[][],
  { natural, tokenizer, seed }: { natural: readonly string[]; tokenizer: Tokenizer; seed: number },
): Promise<{ input_ids: number[]; target_mask: number[] }[]> {
  const encode = async (texts: readonly string[]): Promise<number[][]> => {
    const rows: number[][] = [];
    for (const text of texts) rows.push([...(await tokenizer.encode(text))]);
    return rows;
  };
  const own = await encode(documents.map((segments) => segments.map(({ text }) => text).join('')));
  const [synthetic, other] = [new Continuations(own), new Continuations(await encode(natural))];
  const random = seededRandom(seed, 'paper', 'weighted');
  return own.map((ids) => ({
    input_ids: ids,
    target_mask: ids.map((_, t) => (random.next() < synthetic.probability(ids, t) - other.probability(ids, t) ? 1 : 0)),
  }));
}
