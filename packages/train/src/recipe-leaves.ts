/** The values of a recipe by their keys with dots; lists are values. */
export function leavesOf(part: object, prefix = ''): Map<string, unknown> {
  const entries = Object.entries(part).flatMap(([key, value]: [string, unknown]) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? [...leavesOf(value, `${prefix}${key}.`)]
      : [[`${prefix}${key}`, value] as const],
  );
  return new Map(entries);
}

/** The keys whose values are not the same everywhere. */
export function differingKeys(recipes: readonly Map<string, unknown>[]): string[] {
  const keys = new Set(recipes.flatMap((leaves) => [...leaves.keys()]));
  return [...keys].filter((key) => new Set(recipes.map((leaves) => JSON.stringify(leaves.get(key)))).size > 1);
}
