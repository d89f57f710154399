import { createHash } from 'node:crypto';
import { type Variation, valueText } from './variation.js';

/** One value for each varied key. */
export interface Combination {
  /** Names its run: the same for the same values, whatever the order of the flags and the other values. */
  name: string;
  /** `key=value`, in the order of the flags. */
  vary: string[];
}

const LONGEST_NAME = 120;

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 6);

/** A value as a part of a folder's name; what does not fit there is told apart by a hash. */
function namePart(value: unknown): string {
  const text = valueText(value);
  const plain = text.replaceAll(/[^\w.-]+/g, '-');
  return plain === text ? text : `${plain.replaceAll(/^-+|-+$/g, '')}-${hashOf(text)}`;
}

function nameOf(labels: readonly string[], values: readonly unknown[]): string {
  const parts = labels.map((label, i) => `${label}-${namePart(values[i])}`);
  const name = parts.sort().join('_');
  return name.length <= LONGEST_NAME ? name : `${name.slice(0, LONGEST_NAME)}-${hashOf(name)}`;
}

/** Short names of keys: their last parts, or whole keys where these are not all different. */
export function labelsOf(keys: readonly string[]): string[] {
  const last = keys.map((key) => key.slice(key.lastIndexOf('.') + 1));
  return new Set(last).size === keys.length ? last : [...keys];
}

/** Every combination of the values; those of the last key change fastest. */
export function combinationsOf(variations: readonly Variation[]): Combination[] {
  const product = variations.reduce<unknown[][]>(
    (rows, { values }) => rows.flatMap((row) => values.map((value) => [...row, value])),
    [[]],
  );
  const labels = labelsOf(variations.map(({ key }) => key));
  return product.map((values) => ({
    name: nameOf(labels, values),
    vary: variations.map(({ key }, i) => `${key}=${valueText(values[i])}`),
  }));
}
