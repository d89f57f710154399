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
  for (const field of fieldsOf(backend, name)) {
    const value = fields[field.name];
    if (value === undefined) {
      if (field.kind === 'dim' || (field.kind === 'tensor' && !field.access.endsWith('_opt'))) {
        throw new RangeError(`${name}: expected a value for ${field.name}`);
      }
      args.push(0);
    } else if (typeof value === 'object') {
      args.push(backend.buffer(value));
    } else {
      args.push(Number(value));
    }
  }
  profiled(name, () => backend.addon.run(backend.deviceIndex, operatorIndex[name], args));
}
