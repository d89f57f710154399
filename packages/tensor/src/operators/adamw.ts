import * as tf from '@tensorflow/tfjs-core';
import { LetheBackend } from '../backend.js';
import { callOperator } from '../call.js';
import type { Parameter } from '../parameter.js';
import { type Part, readPart, writePart } from './part.js';

/** The optimizer state of one parameter: fp32 moving averages of the gradient and of its square. */
export interface Moments {
  m: tf.Variable;
  v: tf.Variable;
}

/** Hyperparameters of one AdamW update. `step` counts from 1; `gradScale` multiplies the gradient (clipping). */
export interface AdamwOptions {
  lr: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
  gradScale: number;
  step: number;
}

/**
 * The update of a part of a parameter, from the same part of its gradient, on devices that write in place.
 * @param moments those of the part, [count + rest].
 * @throws Error when the parameter's storage is shared with another tensor; RangeError on devices that cannot.
 */
export function adamwPart(parameter: Parameter, { m, v }: Moments, part: Part, options: AdamwOptions): void {
  parameter.assertUnshared();
  const [value, gradient] = [readPart(parameter.value, part), readPart(parameter.grad, part)];
  const { beta1, beta2, epsilon, weightDecay: weight_decay, gradScale: grad_scale, lr, step } = options;
  const scalars = { lr, beta1, beta2, epsilon, weight_decay, grad_scale, step };
  const { backend } = tf.engine();
  callOperator(backend as LetheBackend, 'adamw', { N: value.size, param: value, grad: gradient, m, v, ...scalars });
  writePart(parameter.value, part, value);
  tf.dispose([value, gradient]);
}

/**
 * One AdamW update (Loshchilov & Hutter 2019) of a parameter from its gradient, in place.
 * @throws Error when the parameter's storage is shared with another tensor.
 */
export function adamw(parameter: Parameter, { m, v }: Moments, options: AdamwOptions): void {
  parameter.assertUnshared();
  const { value, grad } = parameter;
  const backend = tf.engine().backend;
  if (backend instanceof LetheBackend) {
    const { beta1, beta2, epsilon, weightDecay: weight_decay, gradScale: grad_scale, lr, step } = options;
    const scalars = { lr, beta1, beta2, epsilon, weight_decay, grad_scale, step };
    callOperator(backend, 'adamw', { N: value.size, param: value, grad, m, v, ...scalars });
    return;
  }
  tf.tidy(() => {
    const g = tf.mul(grad, options.gradScale);
    m.assign(tf.add(tf.mul(m, options.beta1), tf.mul(g, 1 - options.beta1)));
    v.assign(tf.add(tf.mul(v, options.beta2), tf.mul(tf.square(g), 1 - options.beta2)));
    const mHat = tf.div(m, 1 - options.beta1 ** options.step);
    const vHat = tf.div(v, 1 - options.beta2 ** options.step);
    const decayed = tf.mul(value, 1 - options.lr * options.weightDecay);
    value.assign(tf.sub(decayed, tf.mul(tf.div(mHat, tf.add(tf.sqrt(vHat), options.epsilon)), options.lr)));
  });
}
