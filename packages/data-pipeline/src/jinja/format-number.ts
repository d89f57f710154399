import { UnsupportedTemplateError } from './template-error.js';
import { floatText } from './text-of.js';

/** Text of a number in one of Python's styles: d x X o b for ints, f F e E g G for floats. */
export function formatNumber(value: number, style: string, precision?: number, isAlternate = false): string {
  const magnitude = Math.abs(value);
  switch (style) {
    case 'd':
      return String(magnitude);
    case 'x':
    case 'X':
    case 'o':
    case 'b':
      return inBase(magnitude, style, isAlternate);
    case 'f':
    case 'F':
    case 'e':
    case 'E':
    case 'g':
    case 'G':
      if (isAlternate) throw new UnsupportedTemplateError(`the alternate form of "${style}"`);
      return floating(magnitude, style, precision ?? 6);
    default:
      throw new UnsupportedTemplateError(`the number format "${style}"`);
  }
}

function inBase(magnitude: number, style: string, isAlternate: boolean): string {
  const text = magnitude.toString({ x: 16, X: 16, o: 8, b: 2 }[style]);
  const digits = style === 'X' ? text.toUpperCase() : text;
  return isAlternate ? `0${style}${digits}` : digits;
}

function floating(magnitude: number, style: string, precision: number): string {
  if (!Number.isFinite(magnitude))
    return style === style.toUpperCase() ? floatText(magnitude).toUpperCase() : floatText(magnitude);
  if (precision > 90) throw new UnsupportedTemplateError(`a precision of ${precision} digits`);
  const kind = style.toLowerCase();
  const text =
    kind === 'f'
      ? fixed(magnitude, precision)
      : kind === 'e'
        ? exponential(magnitude, precision)
        : general(magnitude, precision);
  return style === kind ? text : text.toUpperCase();
}

/** Half to even, as C and Python print; JavaScript's toFixed takes the larger of two that are as near. */
export function fixed(magnitude: number, precision: number): string {
  if (magnitude >= 1e21) return BigInt(magnitude).toString() + (precision > 0 ? `.${'0'.repeat(precision)}` : '');
  const text = magnitude.toFixed(precision);
  const exact = magnitude.toFixed(Math.min(100, precision + 60));
  const tail = exact.slice(exact.indexOf('.') + 1 + precision);
  if (!/^50*$/.test(tail)) return text;
  const below = exact.slice(0, exact.length - tail.length).replace(/\.$/, '');
  return Number(below.at(-1)) % 2 === 0 ? below : text;
}

function exponential(magnitude: number, precision: number): string {
  const [digits, exponent] = magnitude.toExponential(precision).split('e');
  return `${digits}e${exponent[0]}${exponent.slice(1).padStart(2, '0')}`;
}

function general(magnitude: number, precision: number): string {
  const significant = Math.max(1, precision);
  const exponent = magnitude === 0 ? 0 : Number(magnitude.toExponential(significant - 1).split('e')[1]);
  if (exponent >= -4 && exponent < significant) return withoutZeros(fixed(magnitude, significant - 1 - exponent));
  const [digits, power] = exponential(magnitude, significant - 1).split('e');
  return `${withoutZeros(digits)}e${power}`;
}

function withoutZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}
