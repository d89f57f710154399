import * as tf from '@tensorflow/tfjs-core';
import { type KernelAttributes, type LetheKernel, registerFor } from '../kernels/register.js';

/** A kernel as a composition of plain tfjs operations, for devices other than the addon's. */
export type ComposedKernel = (
  inputs: Record<string, tf.Tensor>,
  attributes: KernelAttributes,
) => tf.Tensor | tf.Tensor[];

interface OperatorKernel {
  name: string;
  native: LetheKernel;
  composed: ComposedKernel;
}

const operators: OperatorKernel[] = [];

/** Declares a kernel of ours; devices pick it up when they are registered. */
export function registerOperator(name: string, native: LetheKernel, composed: ComposedKernel): void {
  operators.push({ name, native, composed });
}

/** Registers every operator's native kernel for one of the addon's devices. */
export function registerNativeOperators(backendName: string): void {
  const register = registerFor(backendName);
  for (const { name, native } of operators) register(name, native);
}

/** Registers every operator's composition for a device of tfjs's own. */
export function registerComposedOperators(backendName: string): void {
  for (const { name, composed } of operators) {
    tf.registerKernel({
      kernelName: name,
      backendName,
      kernelFunc: ({ inputs, attrs }) =>
        tf.tidy(() => composed(inputs as unknown as Record<string, tf.Tensor>, attrs as KernelAttributes)),
    });
  }
}

/** Runs a kernel of ours on the current device. Absent inputs are left out. */
export function runOperator(
  name: string,
  inputs: Record<string, tf.Tensor | undefined>,
  attributes: KernelAttributes = {},
): tf.Tensor[] {
  const present = Object.fromEntries(Object.entries(inputs).filter(([, tensor]) => tensor !== undefined));
  const result = tf.engine().runKernel(name, present as tf.NamedTensorMap, attributes as tf.NamedAttrMap) as
    tf.Tensor | tf.Tensor[];
  return Array.isArray(result) ? result : [result];
}

/** @throws RangeError naming the operator and argument when the shape differs. */
export function expectShape(operator: string, argument: string, tensor: tf.Tensor, shape: number[]): void {
  if (tensor.shape.length === shape.length && shape.every((length, axis) => length === tensor.shape[axis])) return;
  throw new RangeError(`${operator}: expected ${argument} of shape [${shape}], received [${tensor.shape}]`);
}
