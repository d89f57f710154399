import { UserError } from '@lethe/run';
import type { Llama } from './llama.js';

/** Numbers that come out of a model and are none: no score or text can be made of them. */
export class NonFiniteError extends UserError {}

/**
 * The one check of everything that leaves a model: logits, log-probabilities.
 * @param what names the numbers and their text: `logits of prompt 2`.
 * @throws NonFiniteError naming the model, the text, and the tensor that holds NaN or an infinity, if it is a weight.
 */
export function checkFinite(model: Llama, values: ArrayLike<number>, what: string): void {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) throw nonFinite(model, values[i], what);
}

/** The error for a value that is not finite. */
export function nonFinite(model: Llama, value: number, what: string): NonFiniteError {
  return new NonFiniteError(`${model.source}: ${what}: expected finite numbers, received ${value}; ${cause(model)}`);
}

const causes = new WeakMap<Llama, string>();

function cause(model: Llama): string {
  const known = causes.get(model) ?? findCause(model);
  causes.set(model, known);
  return known;
}

function findCause(model: Llama): string {
  for (const { name, value } of model.parameters) {
    const numbers = value.dataSync();
    const at = numbers.findIndex((number) => !Number.isFinite(number));
    if (at >= 0) {
      return `tensor '${name}' holds ${numbers[at]} at element ${at} of [${value.shape.join(', ')}]: take another checkpoint`;
    }
  }
  return 'all weights are finite, so hidden states overflow: compute with --precision fp32, or look at how the model was trained';
}
