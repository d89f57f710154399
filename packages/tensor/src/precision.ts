/**
 * fp32: everything in single precision. bf16: activations are held in bfloat16, and matrix products round weights to it
 * and accumulate in fp32; weights, their gradients, the optimizer's state and logits stay fp32.
 */
export type Precision = (typeof PRECISIONS)[number];
export const PRECISIONS = ['fp32', 'bf16'] as const;

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
