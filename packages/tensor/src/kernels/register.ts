import * as tf from '@tensorflow/tfjs-core';
import type { LetheBackend } from '../backend.js';

/** A kernel's inputs and attributes by name, as tfjs passes them. */
export type KernelInputs = Record<string, tf.TensorInfo>;
// eslint-disable-next-line typescript/no-explicit-any
export type KernelAttributes = Record<string, any>;

/** A kernel over native buffers. */
export type LetheKernel = (
  inputs: KernelInputs,
  attributes: KernelAttributes,
  backend: LetheBackend,
) => tf.TensorInfo | tf.TensorInfo[];

/** Registers one kernel under a tfjs kernel name. */
export type RegisterKernel = (kernelName: string, kernel: LetheKernel) => void;

/** A register function for one backend name. */
export function registerFor(backendName: string): RegisterKernel {
  return (kernelName, kernel) => {
    tf.registerKernel({
      kernelName,
      backendName,
      kernelFunc: ({ inputs, attrs, backend }) =>
        kernel(inputs as KernelInputs, (attrs ?? {}) as KernelAttributes, backend as LetheBackend),
    });
  };
}
