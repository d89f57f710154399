import { SPACES } from './strip-text.js';
import { TemplateError } from './template-error.js';

/** A token inside a tag. */
export interface Token {
  type: 'name' | 'text' | 'int' | 'float' | 'operator' | 'end';
  /** The name, the operator, the digits, or the text without quotes and escapes. */
  value: string;
}

const SPACE = new RegExp(`(?:${SPACES})+`, 'y');
const FLOAT = /(?:\d+_)*\d+(?:(?:\.(?:\d+_)*\d+)?e[+-]?(?:\d+_)*\d+|\.(?:\d+_)*\d+)/iy;
const INTEGER = /0b(?:_?[01])+|0o(?:_?[0-7])+|0x(?:_?[\da-f])+|[1-9](?:_?\d)*|0(?:_?0)*/iy;
const NAME = /[\p{L}\p{Nl}_][\p{L}\p{Nl}\p{Mn}\p{Mc}\p{Nd}\p{Pc}]*/uy;
const TEXT = /'((?:[^'\\]|\\[^])*)'|"((?:[^"\\]|\\[^])*)"/y;
const OPERATOR = /\/\/|\*\*|==|!=|<=|>=|[-+/*%~[\](){}<>=.:|,;]/y;

/** Tokens of the inside of a tag. @throws TemplateError for a character that begins none. */
export function expressionTokens(source: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < source.length) {
    const space = match(SPACE, source, at);
    if (space) {
      at += space[0].length;
      continue;
    }
    const { token, length } = readToken(source, at, tokens.at(-1));
    tokens.push(token);
    at += length;
  }
  return [...tokens, { type: 'end', value: 'the end of the tag' }];
}

function readToken(source: string, at: number, before: Token | undefined): { token: Token; length: number } {
  const isAfterDot = before?.type === 'operator' && before.value === '.';
  const float = isAfterDot ? undefined : match(FLOAT, source, at);
  if (float) return { token: { type: 'float', value: float[0].replaceAll('_', '') }, length: float[0].length };
  const integer = match(INTEGER, source, at);
  if (integer) return { token: { type: 'int', value: integer[0].replaceAll('_', '') }, length: integer[0].length };
  const name = match(NAME, source, at);
  if (name) return { token: { type: 'name', value: name[0] }, length: name[0].length };
  const text = match(TEXT, source, at);
  if (text) return { token: { type: 'text', value: unescaped(text[1] ?? text[2]) }, length: text[0].length };
  const operator = match(OPERATOR, source, at);
  if (operator) return { token: { type: 'operator', value: operator[0] }, length: operator[0].length };
  throw new TemplateError(`unexpected "${source.slice(at, at + 10)}" in "${source.trim().slice(0, 60)}"`);
}

function match(pattern: RegExp, source: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(source);
}

const ESCAPES: Record<string, string> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '\n': '',
};

/** Python's escapes; others stay as they are written. */
function unescaped(text: string): string {
  return text.replace(/\\(x[\da-f]{2}|u[\da-f]{4}|U[\da-f]{8}|[0-7]{1,3}|[^])/gi, (whole, code: string) => {
    if (/^[xu]./i.test(code) && code !== 'X' && !code.startsWith('X'))
      return String.fromCodePoint(Number.parseInt(code.slice(1), 16));
    if (/^[0-7]/.test(code)) return String.fromCodePoint(Number.parseInt(code, 8));
    if (/^[xuUN]$/.test(code)) throw new TemplateError(`the escape "${whole}" of a text is not complete`);
    return ESCAPES[code] ?? whole;
  });
}

const END_PRINT = /-\}\}\s*|\}\}/y;
const END_BLOCK = /\+%\}|-%\}\s*|%\}\n?/y;

/** Where a tag that begins at `start` ends: the closing brackets, outside texts and inner brackets. */
export function endOfTag(
  source: string,
  start: number,
  kind: 'print' | 'block',
): { inside: number; after: number } | undefined {
  const closing = kind === 'print' ? END_PRINT : END_BLOCK;
  let depth = 0;
  let at = start;
  while (at < source.length) {
    const end = depth === 0 ? match(closing, source, at) : null;
    if (end) return { inside: at, after: at + end[0].length };
    const text = match(TEXT, source, at);
    if (!text && /[{([]/.test(source[at])) depth++;
    if (!text && /[})\]]/.test(source[at])) depth--;
    at += text ? text[0].length : 1;
  }
  return undefined;
}
