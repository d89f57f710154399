import type * as tf from '@tensorflow/tfjs-core';

/**
 * How to make a tensor again from tensors that the reverse pass keeps anyway. Norms and activations cost far less than
 * the products that read them, and would be the largest part of what a step keeps.
 */
export class Rebuild {
  private readers = 0;
  private made: tf.Tensor | undefined;

  /** @param sources what `make` reads. @param make the same values as before, bit for bit. */
  constructor(
    readonly sources: tf.Tensor[],
    private readonly make: () => tf.Tensor,
  ) {}

  /** Counts an operator whose backward pass will `read` once. */
  addReader(): void {
    this.readers++;
  }

  /** Calls f with the tensor, which lives until the last reader is done. */
  read<R>(f: (x: tf.Tensor) => R): R {
    this.made ??= this.make();
    try {
      return f(this.made);
    } finally {
      if (--this.readers === 0) {
        this.made.dispose();
        this.made = undefined;
      }
    }
  }
}

const rebuilds = new WeakMap<tf.Tensor, Rebuild>();

/** Says how `x` can be made again, for the operators that would have to keep it. */
export function canRebuild(x: tf.Tensor, sources: tf.Tensor[], make: () => tf.Tensor): void {
  rebuilds.set(x, new Rebuild(sources, make));
}

/** How `x` can be made again, if it can. */
export function rebuildOf(x: tf.Tensor): Rebuild | undefined {
  return rebuilds.get(x);
}
