import * as tf from '@tensorflow/tfjs-core';
import { LetheBackend } from './backend.js';

let created = 0;

/** A trainable tensor: its fp32 master value and the fp32 gradient that backward passes add to. */
export class Parameter {
  /** The value; its storage changes in place or by `assign`, its tensor id never. */
  readonly value: tf.Variable;
  private gradient: tf.Tensor | undefined;

  /** Takes over `initial`, which is disposed. */
  constructor(
    readonly name: string,
    initial: tf.Tensor,
    readonly trainable = true,
  ) {
    this.value = tf.variable(initial, trainable, `${name}#${created++}`);
    initial.dispose();
  }

  /** The accumulated gradient, of the value's shape; zeros before the first backward pass. */
  get grad(): tf.Tensor {
    this.gradient ??= tf.keep(tf.fill(this.value.shape, 0));
    return this.gradient;
  }

  /** Replaces the gradient (devices without in-place addition). */
  setGrad(gradient: tf.Tensor): void {
    this.gradient?.dispose();
    this.gradient = tf.keep(gradient);
  }

  /** Forgets the gradient: it reads as zeros again. */
  zeroGrad(): void {
    this.gradient?.dispose();
    this.gradient = undefined;
  }

  /**
   * Refuses storage that another tensor shares: an in-place update would change that tensor too.
   * @throws Error naming the parameter.
   */
  assertUnshared(): void {
    const backend = tf.engine().backend;
    if (backend instanceof LetheBackend && backend.refCount(this.value.dataId) > 1) {
      throw new Error(`parameter ${this.name} shares its storage with another tensor; clone it before training`);
    }
  }

  dispose(): void {
    this.value.dispose();
    this.zeroGrad();
  }
}
