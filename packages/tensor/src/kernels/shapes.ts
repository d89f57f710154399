import * as tf from '@tensorflow/tfjs-core';
import type { LetheBackend } from '../backend.js';
import { callOperator, converted } from '../call.js';
import type { RegisterKernel } from './register.js';

function filled(backend: LetheBackend, shape: number[], value: number): tf.TensorInfo {
  const y = backend.output(shape);
  callOperator(backend, 'fill', { N: tf.util.sizeFromShape(shape), y, value });
  return y;
}

function filledLike(backend: LetheBackend, x: tf.TensorInfo, value: number): tf.TensorInfo {
  const y = filled(backend, x.shape, value);
  if (!backend.isBf16(x)) return y;
  const narrow = converted(backend, y, true);
  backend.disposeData(y.dataId);
  return narrow;
}

function castTo(backend: LetheBackend, x: tf.TensorInfo, dtype: tf.DataType): tf.TensorInfo {
  if (x.dtype === dtype) return backend.alias(x, x.shape, dtype);
  const values = backend.readSync(x.dataId as object) as Float32Array | Int32Array;
  const dataId = backend.write(
    dtype === 'float32' ? Float32Array.from(values) : Int32Array.from(values),
    x.shape,
    dtype,
  );
  return { dataId, shape: x.shape, dtype };
}

/** Copies a dense block of `source` to `target`: rows of `cols` elements at the given offsets and strides. */
interface Block {
  rows: number;
  cols: number;
  x_offset: number;
  x_stride: number;
  y_offset: number;
  y_stride: number;
}

function like(backend: LetheBackend, x: tf.TensorInfo, shape: number[]): tf.TensorInfo {
  return backend.isBf16(x) ? backend.activation(shape, true) : backend.output(shape, x.dtype as 'float32' | 'int32');
}

function copyBlock(backend: LetheBackend, source: tf.TensorInfo, target: tf.TensorInfo, block: Block): void {
  const size = tf.util.sizeFromShape;
  callOperator(backend, 'copy_block', { X: size(source.shape), Y: size(target.shape), x: source, y: target, ...block });
}

function slice(backend: LetheBackend, x: tf.TensorInfo, begin: number[], size: number[]): tf.TensorInfo {
  const shape = size.map((length, axis) => (length < 0 ? x.shape[axis] - begin[axis] : length));
  const cut = shape.map((length, axis) => length !== x.shape[axis]);
  const axis = Math.max(cut.indexOf(true), 0);
  if (cut.lastIndexOf(true) > axis)
    throw new RangeError(`lethe devices slice one axis, received begin [${begin}] size [${size}]`);
  const inner = tf.util.sizeFromShape(x.shape.slice(axis + 1));
  const rows = tf.util.sizeFromShape(x.shape.slice(0, axis));
  const y = like(backend, x, shape);
  const [cols, stride] = [shape[axis] * inner, x.shape[axis] * inner];
  const offset = begin[axis] * inner;
  copyBlock(backend, x, y, { rows, cols, x_offset: offset, x_stride: stride, y_offset: 0, y_stride: cols });
  return y;
}

function concat(backend: LetheBackend, parts: tf.TensorInfo[], axis: number): tf.TensorInfo {
  const shape = [...parts[0].shape];
  shape[axis] = parts.reduce((sum, part) => sum + part.shape[axis], 0);
  const y = like(backend, parts[0], shape);
  const rows = tf.util.sizeFromShape(shape.slice(0, axis));
  const stride = tf.util.sizeFromShape(shape.slice(axis));
  let offset = 0;
  for (const part of parts) {
    const cols = tf.util.sizeFromShape(part.shape.slice(axis));
    copyBlock(backend, part, y, { rows, cols, x_offset: 0, x_stride: cols, y_offset: offset, y_stride: stride });
    offset += cols;
  }
  return y;
}

/** tfjs's kernels that make, relabel, cut and join tensors. */
export function registerShapes(register: RegisterKernel): void {
  register(tf.Identity, ({ x }, _attrs, backend) => backend.alias(x, x.shape));
  register(tf.Reshape, ({ x }, { shape }, backend) =>
    backend.alias(x, tf.util.inferFromImplicitShape(shape as number[], tf.util.sizeFromShape(x.shape))),
  );
  register(tf.ExpandDims, ({ input }, { dim }, backend) => {
    const shape = [...input.shape];
    shape.splice((dim as number) < 0 ? shape.length + 1 + (dim as number) : (dim as number), 0, 1);
    return backend.alias(input, shape);
  });
  register(tf.Cast, ({ x }, { dtype }, backend) => castTo(backend, x, dtype as tf.DataType));
  register(tf.Fill, (_inputs, { shape, value }, backend) => filled(backend, shape as number[], value as number));
  register(tf.ZerosLike, ({ x }, _attrs, backend) => filledLike(backend, x, 0));
  register(tf.OnesLike, ({ x }, _attrs, backend) => filledLike(backend, x, 1));
  register(tf.Slice, ({ x }, { begin, size }, backend) => slice(backend, x, begin as number[], size as number[]));
  register(tf.Concat, (inputs, { axis }, backend) => {
    const parts = (Object.values(inputs) as tf.TensorInfo[]).filter((part) => tf.util.sizeFromShape(part.shape) > 0);
    return concat(backend, parts, tf.util.parseAxisParam(axis as number, parts[0].shape)[0]);
  });
}
