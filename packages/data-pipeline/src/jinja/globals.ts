import { bind, wholeArgument } from './arguments.js';
import { dateText } from './date-text.js';
import { iterate } from './iteration.js';
import { TemplateError, UnsupportedTemplateError } from './template-error.js';
import { textOf } from './text-of.js';
import { Callable, Dict, type Named, Namespace, Opaque, Range, type Value } from './values.js';

/** The sandbox of jinja2 refuses longer ranges. */
const MAX_RANGE = 100_000;

/** Names that every template has: jinja2's, and transformers' `raise_exception` and `strftime_now`. */
export function globalNames(now: () => Date): [string, Value][] {
  const functions: [string, (positional: Value[], named: Named) => Value][] = [
    ['range', makeRange],
    ['dict', (positional, named) => mapping(positional, named)],
    ['namespace', makeNamespace],
    ['cycler', makeCycler],
    ['joiner', makeJoiner],
    ['lipsum', () => unsupported('lipsum()')],
    ['raise_exception', refuse],
    [
      'strftime_now',
      (positional, named) => dateText(textOf(bind('strftime_now', 'format', positional, named)[0]!), now()),
    ],
  ];
  return functions.map(([name, run]) => [name, new Callable(name, run)]);
}

function unsupported(what: string): never {
  throw new UnsupportedTemplateError(what);
}

function refuse(positional: Value[], named: Named): never {
  throw new TemplateError(textOf(bind('raise_exception', 'message', positional, named)[0]!));
}

function makeRange(positional: Value[], named: Named): Range {
  const bound = bind('range', 'start stop? step?', positional, named);
  const [first, second, step] = bound.map((value) =>
    value === undefined ? undefined : wholeArgument(value, 0, 'range'),
  );
  if (step === 0) throw new TemplateError('range() arg 3 must not be zero');
  const range = second === undefined ? new Range(0, first!, 1) : new Range(first!, second, step ?? 1);
  if (range.length > MAX_RANGE)
    throw new TemplateError(`Range too big. The sandbox blocks ranges larger than ${MAX_RANGE}.`);
  return range;
}

function mapping(positional: Value[], named: Named): Dict {
  if (positional.length > 1) throw new TemplateError(`dict expected at most 1 argument, got ${positional.length}`);
  const [from] = positional;
  const pairs = from === undefined ? [] : from instanceof Dict ? from.entries() : iterate(from).map(pair);
  return new Dict([...pairs, ...named]);
}

function pair(value: Value): [Value, Value] {
  const items = iterate(value);
  if (items.length !== 2) throw new TemplateError('dictionary update sequence element must have 2 items');
  return [items[0], items[1]];
}

function makeNamespace(positional: Value[], named: Named): Namespace {
  const namespace = new Namespace();
  for (const [name, value] of mapping(positional, named).entries()) namespace.attributes.set(textOf(name), value);
  return namespace;
}

function makeCycler(items: Value[]): Opaque {
  if (items.length === 0) throw new TemplateError('at least one item has to be provided');
  let at = 0;
  const step = new Callable('next', () => items[at++ % items.length]);
  const reset = new Callable('reset', () => ((at = 0), null));
  return new Opaque('Cycler', (name) =>
    name === 'next' ? step : name === 'reset' ? reset : name === 'current' ? items[at % items.length] : undefined,
  );
}

function makeJoiner(positional: Value[], named: Named): Opaque {
  const [separator = ', '] = bind('joiner', 'sep?', positional, named);
  let isUsed = false;
  const next = new Callable('joiner', () => {
    const text = isUsed ? separator : '';
    isUsed = true;
    return text;
  });
  return new Opaque('Joiner', () => undefined, next);
}
