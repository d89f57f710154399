import { readFileSync } from 'node:fs';

const read = (url: URL): { version: string } => JSON.parse(readFileSync(url, 'utf8')) as { version: string };

/** The version of Lethe. */
export const VERSION: string = read(new URL('../package.json', import.meta.url)).version;
