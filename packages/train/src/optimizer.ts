import * as tf from '@tensorflow/tfjs-core';
import { adamw, adamwPart, globalNorm, type Moments, type Parameter, type Part, readPart } from '@lethe/tensor';
import type { TrainRecipe } from './recipe.js';

/** The part of a parameter that this process updates; undefined for all of it. */
export type PartOf = (parameter: Parameter) => Part | undefined;

/** What an update follows. `step` counts from 1. */
export interface Update {
  step: number;
  lr: number;
  gradientNorm: number;
}

/** AdamW over a list of parameters, with the norm of their gradient clipped. State and master weights are fp32. */
export class Optimizer {
  /** By the parameter's name; of its part, [count + rest], where this process has one. */
  readonly moments = new Map<string, Moments>();

  constructor(
    readonly parameters: Parameter[],
    private readonly options: TrainRecipe['optimizer'],
    readonly partOf: PartOf = () => undefined,
  ) {
    for (const parameter of parameters) {
      const part = partOf(parameter);
      const zeros = (): tf.Variable => {
        const initial = tf.fill(part ? [part.count + part.rest] : parameter.value.shape, 0);
        const variable = tf.variable(initial, false);
        initial.dispose();
        return variable;
      };
      this.moments.set(parameter.name, { m: zeros(), v: zeros() });
    }
  }

  /**
   * The norm of the gradient that backward passes have accumulated; where this process has parts, of those. Waits for the
   * device.
   * @param countsShared whether with what every process has: parameters that are not divided, and the rests of others.
   */
  gradientNorm(countsShared = true): number {
    return globalNorm(this.gradients(countsShared));
  }

  private *gradients(countsShared: boolean): Iterable<tf.Tensor> {
    for (const parameter of this.parameters) {
      const part = this.partOf(parameter);
      if (!part) {
        if (countsShared) yield parameter.grad;
        continue;
      }
      const gradient = readPart(parameter.grad, countsShared ? part : { ...part, rest: 0 });
      yield gradient;
      gradient.dispose();
    }
  }

  /** Updates every parameter, or its part, from its gradient. */
  update(step: number, lr: number, gradientNorm: number): void {
    for (const parameter of this.parameters) this.updateOne(parameter, { step, lr, gradientNorm });
  }

  /** The same for one of them. */
  updateOne(parameter: Parameter, { step, lr, gradientNorm }: Update): void {
    const { beta1, beta2, epsilon, weightDecay, clipNorm } = this.options;
    const gradScale = gradientNorm > clipNorm ? clipNorm / gradientNorm : 1;
    const decay = parameter.value.shape.length > 1 ? weightDecay : 0;
    const options = { lr, beta1, beta2, epsilon, weightDecay: decay, gradScale, step };
    const moments = this.moments.get(parameter.name)!;
    const part = this.partOf(parameter);
    if (part) adamwPart(parameter, moments, part, options);
    else adamw(parameter, moments, options);
  }

  /** Forgets all gradients. */
  zeroGrad(): void {
    for (const parameter of this.parameters) parameter.zeroGrad();
  }

  dispose(): void {
    for (const { m, v } of this.moments.values()) tf.dispose([m, v]);
    this.zeroGrad();
  }
}
