import type * as z from 'zod';
import type { KeyPath } from './recipe-document.js';

/** A key that the schema does not have, and the keys that it has there. */
export interface UnknownKey {
  path: KeyPath;
  known: string[];
}

// The parts of a zod schema's definition that lead to other schemas.
interface Definition {
  type: string;
  shape?: Record<string, z.core.$ZodType>;
  catchall?: z.core.$ZodType;
  element?: z.core.$ZodType;
  items?: z.core.$ZodType[];
  rest?: z.core.$ZodType | null;
  valueType?: z.core.$ZodType;
  options?: z.core.$ZodType[];
  innerType?: z.core.$ZodType;
  in?: z.core.$ZodType;
  getter?: () => z.core.$ZodType;
  values?: unknown[];
}

const definition = (schema: z.core.$ZodType): Definition => schema._zod.def as unknown as Definition;
const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Looks through optional, default, nullable, readonly, lazy and pipe to the schema of the value itself. */
function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  const { innerType, in: input, getter } = definition(schema);
  const inner = innerType ?? input ?? getter?.();
  return inner ? unwrap(inner) : schema;
}

/**
 * Finds every key of `value` that `schema` does not know, whether or not its objects are strict: in a recipe an
 * unknown key is always an error. Of a union the option that leaves the fewest unknown keys counts; an option whose
 * literal keys (such as a discriminator) differ from the value's is not considered.
 */
export function findUnknownKeys(schema: z.core.$ZodType, value: unknown, path: KeyPath = []): UnknownKey[] {
  const plain = unwrap(schema);
  const { type, shape, catchall, element, items, rest, valueType, options } = definition(plain);
  if (type === 'union') return fewest((options ?? []).map(unwrap).filter(admits(value)), value, path);
  if (type === 'array' && element && Array.isArray(value)) {
    return value.flatMap((item, index) => findUnknownKeys(element, item, [...path, index]));
  }
  if (type === 'tuple' && items && Array.isArray(value)) {
    return value.flatMap((item, index) => {
      const schemaOfItem = items[index] ?? rest;
      return schemaOfItem ? findUnknownKeys(schemaOfItem, item, [...path, index]) : [];
    });
  }
  if (!isMapping(value)) return [];
  if (type === 'record' && valueType) {
    return Object.entries(value).flatMap(([key, item]) => findUnknownKeys(valueType, item, [...path, key]));
  }
  if (type !== 'object' || !shape) return [];
  const isOpen = catchall !== undefined && definition(catchall).type !== 'never';
  return Object.entries(value).flatMap(([key, item]) => {
    if (Object.hasOwn(shape, key)) return findUnknownKeys(shape[key], item, [...path, key]);
    return isOpen ? [] : [{ path: [...path, key], known: Object.keys(shape) }];
  });
}

function fewest(options: z.core.$ZodType[], value: unknown, path: KeyPath): UnknownKey[] {
  const findings = options.map((option) => findUnknownKeys(option, value, path));
  return findings.sort((a, b) => a.length - b.length)[0] ?? [];
}

/** Whether an option of a union could be meant by the value, by kind and by the keys with literal values. */
function admits(value: unknown): (option: z.core.$ZodType) => boolean {
  return (option) => {
    const { type, shape } = definition(option);
    if (type === 'array' || type === 'tuple') return Array.isArray(value);
    if (type !== 'object' || !shape) return true;
    if (!isMapping(value)) return false;
    return Object.entries(shape).every(([key, child]) => {
      const { type: childType, values } = definition(unwrap(child));
      return childType !== 'literal' || !Object.hasOwn(value, key) || values?.includes(value[key]);
    });
  };
}
