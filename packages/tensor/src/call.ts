import type * as tf from '@tensorflow/tfjs-core';
import { type Field, operatorIndex, type OperatorName } from '@lethe/native';
import type { LetheBackend } from './backend.js';
import { profiled } from './profile.js';

/** The value of one field of an operator: a tensor, a dimension or number, a flag; undefined where it is optional. */
export type FieldValue = tf.TensorInfo | number | boolean | undefined;

const tables = new WeakMap<object, Map<string, Field[]>>();

function fieldsOf(backend: LetheBackend, name: OperatorName): Field[] {
  let table = tables.get(backend.addon);
  if (!table) {
    table = new Map(backend.addon.operators().map((operator) => [operator.name, operator.fields]));
    tables.set(backend.addon, table);
  }
  return table.get(name)!;
}

/**
 * Runs one operator of the native table on the backend's device. Fields go by the names of `native/include/lethe/ops.h`.
 * @throws RangeError for a missing field; Error `[operator] ...` from the native checks.
 */
export function callOperator(backend: LetheBackend, name: OperatorName, fields: Record<string, FieldValue>): void {
  const args: number[] = [];
  const temporary: tf.TensorInfo[] = [];
  let activation: tf.TensorInfo | undefined;
  for (const field of fieldsOf(backend, name)) {
    const value = fields[field.name];
    if (value === undefined) {
      if (field.kind === 'dim' || (field.kind === 'tensor' && !field.access.endsWith('_opt'))) {
        throw new RangeError(`${name}: expected a value for ${field.name}`);
      }
      args.push(0);
    } else if (typeof value === 'object') {
      const operand = stored(backend, field, value, activation);
      if (operand !== value) temporary.push(operand);
      if (field.kind === 'tensor' && field.dtype === 'act') activation ??= operand;
      args.push(backend.buffer(operand));
    } else {
      args.push(Number(value));
    }
  }
  try {
    profiled(name, () => backend.addon.run(backend.deviceIndex, operatorIndex[name], args));
  } finally {
    for (const tensor of temporary) backend.disposeData(tensor.dataId);
  }
}

/**
 * An operand as the operator reads it: fp32 where it reads nothing else, and inputs like the call's first activation.
 * What it writes must fit as it is.
 */
function stored(
  backend: LetheBackend,
  field: Field,
  x: tf.TensorInfo,
  activation: tf.TensorInfo | undefined,
): tf.TensorInfo {
  if (field.kind !== 'tensor' || !field.access.startsWith('in') || field.access === 'inout') return x;
  const isBf16 = backend.isBf16(x);
  if (field.dtype === 'f32') return isBf16 ? toFp32(backend, x) : x;
  if (field.dtype !== 'act' || !activation) return x;
  const wanted = backend.isBf16(activation);
  return isBf16 === wanted ? x : converted(backend, x, wanted);
}

/** A copy in fp32, for operators that read nothing else. */
export function toFp32(backend: LetheBackend, x: tf.TensorInfo): tf.TensorInfo {
  return converted(backend, x, false);
}

/** A copy held in bf16 (or in fp32). */
export function converted(backend: LetheBackend, x: tf.TensorInfo, bf16: boolean): tf.TensorInfo {
  const y = backend.activation(x.shape, bf16);
  callOperator(backend, 'convert', { N: x.shape.reduce((size, length) => size * length, 1), x, y });
  return y;
}
