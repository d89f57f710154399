import { hiddenName } from './literal-json.js';

/** A part of a text, from one UTF-16 unit up to another. */
export type Span = readonly [start: number, end: number];

/** A rendered conversation; `literal` are the parts that spell special tokens without being any. */
export interface RenderedText {
  text: string;
  literal: Span[];
}

/** Stands between the characters of what a message spells, while the template is rendered a second time. */
const GUARD = '\u{10fffe}';
const GUARDED = new RegExp(`${GUARD}(?:[^]${GUARD})+`, 'gu');

/** Puts guards around and into everything that `pattern` finds in the texts of a value. */
export function guard(value: unknown, pattern: RegExp): unknown {
  if (typeof value === 'string') {
    return value.replace(pattern, (found) => `${GUARD}${[...found].join(GUARD)}${GUARD}`);
  }
  if (Array.isArray(value)) return value.map((item) => guard(item, pattern));
  if (value === null || typeof value !== 'object' || value instanceof Number) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, guard(item, pattern)]));
}

/** A guarded text without its guards, and where they were. */
export function unguarded(guarded: string): RenderedText {
  const literal: Span[] = [];
  let text = '';
  let done = 0;
  for (const match of guarded.matchAll(GUARDED)) {
    text += guarded.slice(done, match.index);
    const start = text.length;
    text += match[0].replaceAll(GUARD, '');
    literal.push([start, text.length]);
    done = match.index + match[0].length;
  }
  return { text: text + guarded.slice(done), literal };
}

/**
 * A rendered text in which the template's own special tokens have the names of `literalJson`, so that what messages spell
 * stays text; `toOriginal` gives for a place in it the place in the rendered text.
 */
export function renamedSpecials(
  { text, literal }: RenderedText,
  special: RegExp,
  indexOf: ReadonlyMap<string, number>,
): { text: string; toOriginal: (place: number) => number } {
  const changes: { at: number; end: number; shift: number }[] = [];
  let out = '';
  let done = 0;
  for (const match of text.matchAll(special)) {
    const end = match.index + match[0].length;
    if (literal.some(([from, to]) => match.index < to && end > from)) continue;
    out += text.slice(done, match.index) + hiddenName(indexOf.get(match[0])!);
    changes.push({ at: out.length, end, shift: end - out.length });
    done = end;
  }
  const toOriginal = (place: number): number => {
    const before = changes.findLast(({ at }) => at <= place);
    const next = changes.find(({ at }) => at > place);
    const plain = place + (before?.shift ?? 0);
    // Inside a renamed token: it is one token, whose places are its beginning and its end.
    return next ? Math.min(plain, next.end) : plain;
  };
  return { text: out + text.slice(done), toOriginal };
}
