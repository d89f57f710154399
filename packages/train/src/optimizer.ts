import * as tf from '@tensorflow/tfjs-core';
import { adamw, globalNorm, type Moments, type Parameter } from '@lethe/tensor';
import type { TrainRecipe } from './recipe.js';

/** AdamW over a list of parameters, with the norm of their gradient clipped. State and master weights are fp32. */
export class Optimizer {
  readonly moments = new Map<string, Moments>();

  constructor(
    readonly parameters: Parameter[],
    private readonly options: TrainRecipe['optimizer'],
  ) {
    for (const { name, value } of parameters) {
      const zeros = (): tf.Variable => {
        const initial = tf.fill(value.shape, 0);
        const variable = tf.variable(initial, false);
        initial.dispose();
        return variable;
      };
      this.moments.set(name, { m: zeros(), v: zeros() });
    }
  }

  /** The norm of the gradient that backward passes have accumulated. Waits for the device. */
  gradientNorm(): number {
    return globalNorm(this.parameters.map(({ grad }) => grad));
  }

  /** Updates every parameter from its gradient. `step` counts from 1. */
  update(step: number, lr: number, gradientNorm: number): void {
    const { beta1, beta2, epsilon, weightDecay, clipNorm } = this.options;
    const gradScale = gradientNorm > clipNorm ? clipNorm / gradientNorm : 1;
    for (const parameter of this.parameters) {
      const decay = parameter.value.shape.length > 1 ? weightDecay : 0;
      const scalars = { lr, beta1, beta2, epsilon, weightDecay: decay, gradScale, step };
      adamw(parameter, this.moments.get(parameter.name)!, scalars);
    }
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
