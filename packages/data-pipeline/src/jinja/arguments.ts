import { TemplateError } from './template-error.js';
import { Callable, type Named, numberOf, typeName, type Value } from './values.js';

/** Arguments by position, as a signature orders them; undefined where none was given. */
export type Bound = (Value | undefined)[];

/**
 * Puts arguments in the order of a signature: names separated by spaces, `name?` for those that may be absent.
 * @throws TemplateError as Python's TypeError.
 */
export function bind(name: string, signature: string, positional: Value[], named: Named): Bound {
  const parameters = signature.split(' ').filter((part) => part !== '');
  const names = parameters.map((part) => part.replace('?', ''));
  if (positional.length > names.length) {
    throw new TemplateError(`${name}() takes at most ${names.length} arguments (${positional.length} given)`);
  }
  const bound: Bound = names.map((_, i) => positional[i]);
  for (const [key, value] of named) {
    const at = names.indexOf(key);
    if (at < 0) throw new TemplateError(`${name}() got an unexpected keyword argument '${key}'`);
    if (bound[at] !== undefined) throw new TemplateError(`${name}() got multiple values for argument '${key}'`);
    bound[at] = value;
  }
  const missing = parameters.findIndex((part, i) => !part.endsWith('?') && bound[i] === undefined);
  if (missing >= 0) throw new TemplateError(`${name}() missing the argument '${names[missing]}'`);
  return bound;
}

/** A function with a signature as {@link bind} reads it. */
export function callable(name: string, signature: string, run: (bound: Bound) => Value): Callable {
  return new Callable(name, (positional, named) => run(bind(name, signature, positional, named)));
}

/** A text argument. @throws TemplateError for any other type. */
export function textArgument(value: Value | undefined, where: string): string {
  if (typeof value === 'string') return value;
  throw new TemplateError(`${where}: expected str, received ${value === undefined ? 'nothing' : typeName(value)}`);
}

/** A whole number, or the fallback for an absent one. @throws TemplateError for any other type. */
export function wholeArgument(value: Value | undefined, fallback: number, where: string): number {
  if (value === undefined) return fallback;
  const number = typeof value === 'number' || typeof value === 'boolean' ? numberOf(value) : undefined;
  if (number !== undefined) return number;
  throw new TemplateError(`${where}: '${typeName(value)}' object cannot be interpreted as an integer`);
}
