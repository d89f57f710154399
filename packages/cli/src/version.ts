import { readFileSync } from 'node:fs';

const { version, engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
  engines: { node: string };
};

/** The version of Lethe. */
export const VERSION: string = version;

/** The versions of Node that it runs on, `>=20.11`. */
export const REQUIRED_NODE: string = engines.node;
