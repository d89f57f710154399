import { UnsupportedTemplateError } from './template-error.js';
import { Dict, Float, Lazy, Markup, Namespace, Range, Tuple, typeName, Undefined, type Value } from './values.js';

/** `str(value)`: what `{{ value }}` prints. */
export function textOf(value: Value): string {
  if (typeof value === 'string') return value;
  if (value instanceof Undefined) return '';
  if (value instanceof Markup) return value.text;
  return representation(value);
}

/** `repr(value)`: how a value appears inside a printed list. */
export function representation(value: Value): string {
  if (value === null) return 'None';
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'number') return String(value);
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (value instanceof Float) return floatText(value.value);
  if (Array.isArray(value)) return `[${value.map(representation).join(', ')}]`;
  if (value instanceof Tuple) return tupleText(value);
  if (value instanceof Dict) return dictText(value.entries());
  if (value instanceof Undefined) return 'Undefined';
  if (value instanceof Markup) return `Markup(${quoted(value.text)})`;
  if (value instanceof Namespace) return `<Namespace ${dictText([...value.attributes])}>`;
  if (value instanceof Range) {
    return `range(${value.start}, ${value.stop}${value.step === 1 ? '' : `, ${value.step}`})`;
  }
  if (value instanceof Lazy && value.view !== undefined) return `${value.view}(${representation(value.take())})`;
  throw new UnsupportedTemplateError(`printing a ${typeName(value)}`);
}

function tupleText({ items, names }: Tuple): string {
  if (names.length > 0) throw new UnsupportedTemplateError('printing a group of groupby');
  const inside = items.map(representation).join(', ');
  return items.length === 1 ? `(${inside},)` : `(${inside})`;
}

function dictText(entries: (readonly [Value, Value])[]): string {
  return `{${entries.map(([key, value]) => `${representation(key)}: ${representation(value)}`).join(', ')}}`;
}

/** `repr(float)`: the shortest digits that read back, with an exponent from 1e16 and below 1e-4. */
export function floatText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  const magnitude = Math.abs(value);
  if (magnitude !== 0 && (magnitude >= 1e16 || magnitude < 1e-4)) {
    const [digits, exponent] = value.toExponential().split('e');
    const sign = exponent.startsWith('-') ? '-' : '+';
    return `${digits}e${sign}${exponent.slice(1).padStart(2, '0')}`;
  }
  const text = Object.is(value, -0) ? '-0' : String(value);
  return text.includes('.') ? text : `${text}.0`;
}

const ESCAPES: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\' };

function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let out = '';
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (character === quote) out += `\\${character}`;
    else if (ESCAPES[character] !== undefined) out += ESCAPES[character];
    else if (character === ' ' || !/[\p{C}\p{Z}]/u.test(character)) out += character;
    else if (code < 0x100) out += `\\x${code.toString(16).padStart(2, '0')}`;
    else if (code < 0x10000) out += `\\u${code.toString(16).padStart(4, '0')}`;
    else out += `\\U${code.toString(16).padStart(8, '0')}`;
  }
  return quote + out + quote;
}
