import { z } from 'zod';

/** A constraint on a response that a rule can check. All text comparisons ignore surrounding white space. */
export const constraintSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('count'), of: z.enum(['words', 'items', 'sentences']), equals: z.int().positive() }),
  z.strictObject({ kind: z.literal('order'), by: z.enum(['alphabetical', 'reverse-alphabetical']) }),
  z.strictObject({ kind: z.literal('case'), is: z.enum(['upper', 'lower']) }),
  z.strictObject({ kind: z.literal('separator'), is: z.string().min(1) }),
  z.strictObject({ kind: z.literal('keyword'), word: z.string().min(1), present: z.boolean() }),
  z.strictObject({ kind: z.literal('json'), keys: z.array(z.string()) }),
  z
    .strictObject({ kind: z.literal('among'), words: z.array(z.string().min(1)).min(1) })
    .describe('every item is one of the words, in any letter case, and none comes twice'),
]);
export type Constraint = z.output<typeof constraintSchema>;

/** The items of a list response: cut at the separator asked for, else at commas or line ends. JSON gives its values. */
export function itemsOf(response: string, constraints: readonly Constraint[]): string[] {
  const text = response.trim();
  if (constraints.some(({ kind }) => kind === 'json')) {
    const parsed = parseObject(text);
    return parsed ? Object.values(parsed).flat().map(String) : [];
  }
  const separator = constraints.find((constraint) => constraint.kind === 'separator');
  const cut = separator ? text.split(separator.is) : text.split(/[,\n]/);
  return cut.map((item) => item.trim()).filter((item) => item !== '');
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === 'object' && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined; // A response that is not JSON fails the constraint; that is the measurement.
  }
}

const wordsOf = (text: string): string[] => text.match(/[\p{L}\p{N}'-]+/gu) ?? [];

function isOrdered(items: string[], isReversed: boolean): boolean {
  const lower = items.map((item) => item.toLowerCase());
  return (
    lower.length > 1 && lower.every((item, i) => i === 0 || (isReversed ? lower[i - 1] >= item : lower[i - 1] <= item))
  );
}

function isAmong(items: string[], words: readonly string[]): boolean {
  const offered = new Set(words.map((word) => word.toLowerCase()));
  const given = items.map((item) => item.toLowerCase());
  return given.length > 0 && new Set(given).size === given.length && given.every((item) => offered.has(item));
}

function countOf(of: 'words' | 'items' | 'sentences', text: string, constraints: readonly Constraint[]): number {
  if (of === 'words') return wordsOf(text).length;
  if (of === 'items') return itemsOf(text, constraints).length;
  return text.split(/[.!?]+(?:\s|$)/).filter((sentence) => sentence.trim() !== '').length;
}

/** Whether a response meets one constraint; `all` are the constraints it comes with, which say how items are separated. */
export function isSatisfied(constraint: Constraint, response: string, all: readonly Constraint[]): boolean {
  const text = response.trim();
  if (text === '') return false;
  switch (constraint.kind) {
    case 'count':
      return countOf(constraint.of, text, all) === constraint.equals;
    case 'order':
      return isOrdered(itemsOf(text, all), constraint.by === 'reverse-alphabetical');
    case 'case':
      return /\p{L}/u.test(text) && text === (constraint.is === 'upper' ? text.toUpperCase() : text.toLowerCase());
    case 'separator':
      return text.includes(constraint.is) && itemsOf(text, all).length > 1;
    case 'keyword': {
      const has = wordsOf(text.toLowerCase()).includes(constraint.word.toLowerCase());
      return has === constraint.present;
    }
    case 'among':
      return isAmong(itemsOf(text, all), constraint.words);
    case 'json': {
      const parsed = parseObject(text);
      return parsed !== undefined && constraint.keys.every((key) => key in parsed);
    }
  }
}
