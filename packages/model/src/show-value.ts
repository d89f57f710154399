/** A parsed JSON value as an error message shows it: at most 100 characters, whatever a file may hold. */
export function showValue(value: unknown): string {
  if (value === undefined) return 'nothing (the key is missing)';
  try {
    return JSON.stringify(value).slice(0, 100);
  } catch {
    return 'a value nested too deeply'; // JSON.parse goes deeper than JSON.stringify.
  }
}
