/** fp32: everything in single precision. bf16: matrix products on inputs rounded to bfloat16, accumulated in fp32. */
export type Precision = 'fp32' | 'bf16';

let current: Precision = 'fp32';

/** The precision that operators called from here on use. */
export function precision(): Precision {
  return current;
}

/** Sets the precision of the operators that follow; returns the previous one. */
export function setPrecision(value: Precision): Precision {
  const previous = current;
  current = value;
  return previous;
}
