import * as tf from '@tensorflow/tfjs-core';
import { seededRandom } from '@lethe/run';
import { add, linear, Parameter, scale } from '@lethe/tensor';
import type { LlamaConfig } from '../config.js';
import { adapterSpecs, type LoraSettings } from './lora-settings.js';

/** The two matrices that change a linear layer. */
interface LowRank {
  a: Parameter;
  b: Parameter;
}

const NAME = /^(?<layer>.+)\.lora_(?<side>[AB])\.weight$/;

/** A low-rank change of some linear layers of a model (LoRA), on the device that was current when it was made. */
export class Adapter {
  private readonly layers = new Map<string, LowRank>();

  /**
   * @param factor alpha / rank.
   * @param parameters by the names of {@link adapterSpecs}: both matrices of every layer that is changed.
   */
  constructor(
    readonly factor: number,
    readonly parameters: Parameter[],
  ) {
    const byName = new Map(parameters.map((parameter) => [parameter.name, parameter]));
    for (const { name } of parameters) {
      const { layer } = NAME.exec(name)!.groups!;
      const [a, b] = ['A', 'B'].map((side) => byName.get(`${layer}.lora_${side}.weight`));
      if (!a || !b) throw new RangeError(`adapter: expected both matrices of ${layer}, received ${name} alone`);
      this.layers.set(layer, { a, b });
    }
  }

  /** Names of the layers that it changes. */
  get names(): string[] {
    return [...this.layers.keys()];
  }

  /** y [N, O] + factor (x A^T) B^T, where y is what `layer` makes of x [N, I]; y itself where it is not changed. */
  change(layer: string, x: tf.Tensor, y: tf.Tensor): tf.Tensor {
    const found = this.layers.get(layer);
    // The factor goes to B, in fp32 and small: activations in bf16 are rounded no more than without it.
    return found ? add(y, linear(linear(x, found.a.value), scale(found.b.value, this.factor))) : y;
  }

  /** The change of a layer's weight, factor B A [O, I], in fp32; undefined where it has none. The caller disposes it. */
  delta(layer: string): tf.Tensor | undefined {
    const found = this.layers.get(layer);
    return (
      found && tf.tidy(() => tf.mul(tf.matMul(found.b.value as tf.Tensor2D, found.a.value as tf.Tensor2D), this.factor))
    );
  }

  dispose(): void {
    for (const parameter of this.parameters) parameter.dispose();
  }
}

/**
 * A fresh adapter, which changes nothing yet: A uniform in +-1/sqrt(I), as peft draws it, B 0. Each matrix has its own random
 * stream (seed, name).
 */
export function initializeAdapter(config: LlamaConfig, settings: LoraSettings, seed: number): Adapter {
  const parameters = adapterSpecs(config, settings).map(({ name, shape }) => {
    const values = new Float32Array(shape[0] * shape[1]);
    if (name.endsWith('.lora_A.weight')) {
      const random = seededRandom(seed, 'adapter', name);
      const bound = 1 / Math.sqrt(shape[1]);
      for (let i = 0; i < values.length; i++) values[i] = (2 * random.next() - 1) * bound;
    }
    return new Parameter(name, tf.tensor(values, shape));
  });
  return new Adapter(settings.alpha / settings.rank, parameters);
}
