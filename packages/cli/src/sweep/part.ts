import { InvalidArgumentError } from 'commander';

/** One of `of` parts of the runs of a sweep, `index` from 0. */
export interface Part {
  index: number;
  of: number;
}

/** Every `of`-th run: parts of a grid take as long as each other, where the values of the last key decide how long. */
export const partOf = <Run>(runs: readonly Run[], { index, of }: Part): Run[] =>
  runs.filter((_, i) => i % of === index);

/** Parses `I/N`, I from 1 to N. */
export function part(text: string): Part {
  const [, number, of] = (/^(\d+)\/(\d+)$/.exec(text) ?? []).map(Number);
  if (number >= 1 && number <= of) return { index: number - 1, of };
  throw new InvalidArgumentError('expected I/N, the number of a part and of how many, for example 2/6.');
}
