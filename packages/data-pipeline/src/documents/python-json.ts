/** Texts, which are left alone, and what JSON.parse refuses (Python's NaN) or forgets (that 2.0 is no whole number). */
const TOKENS = /"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/gs;
const MAY_HOLD = /NaN|Infinity|\d\.0+(?!\d)|\d[eE][-+]?\d/;
/** Marks a whole number that was written with a point or an exponent. */
const FLOAT = '\u0000float';

/**
 * Parses JSON as Python writes it: NaN, which marks what is missing, is null; a whole number that is written as a float,
 * such as 2.0, is a `Number` object, since a chat template writes it so again.
 * @throws SyntaxError for text that is not JSON.
 */
export function parsePythonJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (!MAY_HOLD.test(text)) throw error;
  }
  if (value !== undefined && (!holdsNumber(value) || !MAY_HOLD.test(text))) return value;
  const written = text.replace(TOKENS, (token) => {
    if (token.startsWith('"')) return token;
    if (token === 'NaN') return 'null';
    if (token.endsWith('Infinity')) return token.replace('Infinity', '1e999');
    const isFloat = /[.eE]/.test(token) && Number.isInteger(Number(token));
    return isFloat ? `{"\\u0000float":${token}}` : token;
  });
  return JSON.parse(written, (_, value: unknown) => {
    const isMark = typeof value === 'object' && value !== null && Object.hasOwn(value, FLOAT);
    return isMark ? new Number((value as Record<string, number>)[FLOAT]) : value;
  });
}

/** Whether a parsed value has a number in it: what texts look like then matters little. */
function holdsNumber(value: unknown): boolean {
  const left = [value];
  while (left.length > 0) {
    const next = left.pop();
    if (typeof next === 'number') return true;
    if (typeof next === 'object' && next !== null) for (const inner of Object.values(next)) left.push(inner);
  }
  return false;
}
