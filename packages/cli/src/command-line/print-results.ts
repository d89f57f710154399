/** The flag of every command that prints a table, for commander's `option`. */
export const JSON_OPTION = ['--json', 'print results as JSON in the place of tables'] as const;

/** Prints what a command found: as JSON where that was asked for, as text for people otherwise. */
export function printResults(results: object, text: string, isJson?: boolean): void {
  process.stdout.write(`${isJson ? JSON.stringify(results, null, 1) : text}\n`);
}
