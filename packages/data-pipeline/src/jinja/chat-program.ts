import { isForeign } from '../documents/foreign-value.js';
import { execute, Output } from './execute.js';
import { globalNames } from './globals.js';
import type { Statement } from './nodes.js';
import { parseTemplate } from './parse-template.js';
import { Scope } from './scope.js';
import { TemplateError, UnsupportedTemplateError } from './template-error.js';
import { Dict, Float, integer, Opaque, type Value } from './values.js';

/** What a template wrote. */
export interface Rendered {
  text: string;
  /** What `{% generation %}` blocks wrote, as offsets in `text`. */
  generations: [start: number, end: number][];
}

/**
 * A chat template, rendered as jinja2 renders it under transformers' settings: the immutable sandbox, trim_blocks,
 * lstrip_blocks, break and continue, `tojson` without HTML escapes, `raise_exception`, `strftime_now`, `{% generation %}`.
 * What jinja2 has and this engine does not is refused.
 */
export class ChatProgram {
  private readonly body: Statement[];

  /** @throws TemplateError when the template does not parse, or uses what cannot be rendered here. */
  constructor(
    source: string,
    private readonly now: () => Date = () => new Date(),
  ) {
    this.body = parseTemplate(source);
  }

  /** @throws TemplateError where jinja2 would raise, and where its text cannot be known here. */
  render(names: Readonly<Record<string, unknown>>): Rendered {
    const scope = new Scope();
    for (const [name, value] of globalNames(this.now)) scope.set(name, value);
    for (const [name, value] of Object.entries(names)) if (value !== undefined) scope.set(name, toValue(value));
    const out = new Output(true);
    try {
      execute(this.body, new Scope(scope), out);
    } catch (cause) {
      if (cause instanceof RangeError) throw new TemplateError('the template calls itself too deeply', { cause });
      throw cause;
    }
    return { text: out.text, generations: out.generations };
  }
}

/** A value of JSON, or of a table, as Python has it. */
function toValue(value: unknown): Value {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return integer(Number(value));
  if (typeof value === 'number') return Number.isInteger(value) ? integer(value) : new Float(value);
  if (value instanceof Number) return new Float(value.valueOf());
  if (Array.isArray(value)) return value.map(toValue);
  if (typeof value !== 'object') throw new UnsupportedTemplateError(`a ${typeof value}`);
  if (isForeign(value)) return foreign(value.kind);
  if (ArrayBuffer.isView(value)) return foreign('bytes');
  const entries = Object.entries(value as object).filter(([, entry]) => entry !== undefined);
  const numeric = entries.find(([key]) => /^(0|[1-9]\d*)$/.test(key));
  if (numeric && entries.length > 1) {
    throw new UnsupportedTemplateError(
      `the mapping with the key "${numeric[0]}", a number that loses its place among the others,`,
    );
  }
  return new Dict(entries.map(([key, entry]) => [key, toValue(entry)]));
}

/** A value that a template may have, and not use. */
const foreign = (kind: string): Opaque =>
  new Opaque(kind, () => {
    throw new UnsupportedTemplateError(`an attribute of a ${kind}`);
  });
