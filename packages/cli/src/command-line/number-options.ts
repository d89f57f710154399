import { InvalidArgumentError } from 'commander';

/** Parses a flag that is an integer >= 0. */
export function integer(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 0 || value.trim() === '')
    throw new InvalidArgumentError('expected an integer >= 0.');
  return number;
}

/** Parses a flag that is a number >= 0. */
export function nonNegative(value: string): number {
  const number = Number(value);
  if (!(number >= 0) || value.trim() === '') throw new InvalidArgumentError('expected a number >= 0.');
  return number;
}
