/**
 * The first key that occurs twice in one object of a text that JSON.parse accepts (which silently keeps the last), or
 * undefined. Two readers of such a file could see different weights.
 */
export function findDuplicateKey(json: string): string | undefined {
  const open: (Set<string> | null)[] = []; // keys seen in each enclosing object; null for an array
  const token = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/gs;
  for (const [text, colon] of json.matchAll(token)) {
    if (text === '{') open.push(new Set());
    else if (text === '[') open.push(null);
    else if (text === '}' || text === ']') open.pop();
    else if (colon !== undefined) {
      const key = JSON.parse(text.slice(0, -colon.length)) as string;
      const seen = open.at(-1);
      if (seen?.has(key)) return key;
      seen?.add(key);
    }
  }
  return undefined;
}
