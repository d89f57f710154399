const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * The first key that occurs twice in one object of a text that JSON.parse accepts (which silently keeps the last), or
 * undefined. Two readers of such a file could see different weights.
 */
export function findDuplicateKey(json: string): string | undefined {
  const open: (Set<string> | null)[] = []; // keys seen in each enclosing object; null for an array
  for (let at = 0; at < json.length; at++) {
    const character = json[at];
    if (character === '{') open.push(new Set());
    else if (character === '[') open.push(null);
    else if (character === '}' || character === ']') open.pop();
    else if (character === '"') {
      const end = endOfString(json, at);
      if (isKey(json, end)) {
        const key = JSON.parse(json.slice(at, end)) as string;
        const seen = open.at(-1);
        if (seen?.has(key)) return key;
        seen?.add(key);
      }
      at = end - 1;
    }
  }
  return undefined;
}

/** One past the closing quote. A loop: regular expressions overflow V8's stack on strings of megabytes. */
function endOfString(json: string, start: number): number {
  let at = start + 1;
  while (at < json.length && json.charCodeAt(at) !== QUOTE) at += json.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return at + 1;
}

function isKey(json: string, from: number): boolean {
  let at = from;
  while (at < json.length && ' \t\n\r'.includes(json[at])) at++;
  return json[at] === ':';
}
