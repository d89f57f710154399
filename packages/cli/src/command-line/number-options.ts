import { MAX_THREADS } from '@lethe/tensor';
import { InvalidArgumentError } from 'commander';

const integerFrom =
  (least: number) =>
  (value: string): number => {
    const number = Number(value);
    if (!Number.isInteger(number) || number < least || value.trim() === '')
      throw new InvalidArgumentError(`expected an integer >= ${least}.`);
    if (!Number.isSafeInteger(number))
      throw new InvalidArgumentError(`expected an integer of at most ${Number.MAX_SAFE_INTEGER}.`);
    return number;
  };

/** Parses a flag that is an integer >= 0. */
export const integer = integerFrom(0);

/** Parses a flag that is an integer >= 1. */
export const positiveInteger = integerFrom(1);

/** Parses a number of CPU threads. */
export function threadCount(value: string): number {
  const number = positiveInteger(value);
  if (number > MAX_THREADS) throw new InvalidArgumentError(`expected 1 to ${MAX_THREADS} threads.`);
  return number;
}

/** Parses a flag that is a share, from 0 to below 1. */
export function shareBelowOne(value: string): number {
  const number = nonNegative(value);
  if (number >= 1) throw new InvalidArgumentError('expected a share from 0 to below 1.');
  return number;
}

/** Parses a flag that is a share above 0, at most 1. */
export function shareOfOne(value: string): number {
  const number = nonNegative(value);
  if (number === 0 || number > 1) throw new InvalidArgumentError('expected a share above 0, at most 1.');
  return number;
}

/** Parses a flag that is a number >= 0. */
export function nonNegative(value: string): number {
  const number = Number(value);
  if (!(number >= 0 && number < Infinity) || value.trim() === '')
    throw new InvalidArgumentError('expected a number >= 0.');
  return number;
}
