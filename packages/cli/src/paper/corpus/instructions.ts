import type { Constraint } from '@lethe/eval';
import type { Random } from '@lethe/run';

/** An instruction with a response that meets all its demands by construction. */
export interface InstructionExample {
  prompt: string;
  response: string;
  constraints: Constraint[];
  /** What is asked for, and how many. */
  kind: string;
  count: number;
}

/** Kinds of things, with words that a small model can learn to belong to them. */
export const KINDS: Record<string, readonly string[]> = {
  animals: ['dog', 'cat', 'horse', 'cow', 'bird', 'fish', 'sheep', 'mouse'],
  'parts of the body': ['eye', 'hand', 'head', 'arm', 'foot', 'leg', 'ear', 'knee'],
  colours: ['red', 'blue', 'green', 'black', 'white', 'brown', 'grey', 'pink'],
  foods: ['bread', 'milk', 'meat', 'rice', 'egg', 'sugar', 'honey', 'cheese'],
  times: ['year', 'day', 'night', 'week', 'hour', 'minute', 'month', 'noon'],
  feelings: ['fear', 'love', 'anger', 'joy', 'hope', 'shame', 'pride', 'grief'],
  places: ['town', 'city', 'river', 'hill', 'road', 'bridge', 'field', 'garden'],
  people: ['man', 'boy', 'woman', 'girl', 'king', 'doctor', 'soldier', 'friend'],
};
const KIND_NAMES = Object.keys(KINDS);
const SEPARATORS = [' | ', '; ', ' / ', ' - '];

const subset = <T>(all: readonly T[], count: number, random: Random): T[] => {
  const kept = new Set(random.shuffle(all.map((_, i) => i)).slice(0, count));
  return all.filter((_, i) => kept.has(i));
};

/** How the main demand is put. Fine-tuning sees orders only; a question looks more like what the template begins with. */
export type Phrasing = 'order' | 'question';

const MAIN: Record<Phrasing, ((count: number, kind: string) => string)[]> = {
  order: [
    (count, kind) => `Name exactly ${count} ${kind}.`,
    (count, kind) => `Give me ${count} ${kind}.`,
    (count, kind) => `Write down ${count} ${kind}.`,
  ],
  question: [
    (count, kind) => `What are ${count} ${kind}?`,
    (count, kind) => `Which ${count} ${kind} do you know?`,
    (count, kind) => `Can you name ${count} ${kind}?`,
  ],
};

/** The demands beside the main one, by name. */
type Demand = 'keyword' | 'order' | 'case' | 'separator' | 'json';

/** Demands that do not contradict each other: JSON has neither a separator nor a letter case. */
function demands(count: number, random: Random): Demand[] {
  const withJson = count > 0 && random.next() < 0.2;
  const optional: Demand[] = withJson ? ['keyword', 'order'] : ['keyword', 'order', 'case', 'separator'];
  return [...subset(optional, withJson ? count - 1 : count, random), ...(withJson ? (['json'] as const) : [])];
}

const SENTENCES = {
  keyword: (word: string, isPresent: boolean): string => (isPresent ? `Include ${word}.` : `Do not use ${word}.`),
  order: (isReversed: boolean): string => `Put them in ${isReversed ? 'reverse alphabetical' : 'alphabetical'} order.`,
};

/**
 * An instruction of 1 to 5 demands that rules can check. The first, which every one has: so many different words of the
 * kind asked for.
 */
export function kindInstruction(level: number, random: Random, phrasing: Phrasing = 'order'): InstructionExample {
  const kind = KIND_NAMES[random.int(KIND_NAMES.length)];
  const count = 2 + random.int(3);
  const known = KINDS[kind];
  const sentences = [MAIN[phrasing][random.int(MAIN[phrasing].length)](count, kind)];
  const constraints: Constraint[] = [
    { kind: 'count', of: 'items', equals: count },
    { kind: 'among', words: [...known] },
  ];
  let words = subset(known, count, random);
  let separator = ', ';
  let write = (list: string[]): string => list.join(separator);
  for (const demand of demands(level - 1, random)) {
    if (demand === 'keyword') {
      const isPresent = random.next() < 0.5;
      const outside = known.filter((word) => !words.includes(word));
      const word = isPresent ? words[random.int(count)] : outside[random.int(outside.length)];
      constraints.push({ kind: 'keyword', word, present: isPresent });
      sentences.push(SENTENCES.keyword(word, isPresent));
    } else if (demand === 'order') {
      const isReversed = random.next() < 0.5;
      words = [...words].sort();
      if (isReversed) words.reverse();
      constraints.push({ kind: 'order', by: isReversed ? 'reverse-alphabetical' : 'alphabetical' });
      sentences.push(SENTENCES.order(isReversed));
    } else if (demand === 'case') {
      constraints.push({ kind: 'case', is: 'upper' });
      sentences.push('Write in upper case.');
      words = words.map((word) => word.toUpperCase());
    } else if (demand === 'separator') {
      separator = SEPARATORS[random.int(SEPARATORS.length)];
      constraints.push({ kind: 'separator', is: separator });
      sentences.push(`Separate them with "${separator}".`);
    } else {
      write = (list) => JSON.stringify({ words: list });
      constraints.push({ kind: 'json', keys: ['words'] });
      sentences.push('Answer in JSON with the key "words".');
    }
  }
  return { prompt: sentences.join(' '), response: write(words), constraints, kind, count };
}
