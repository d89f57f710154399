#!/usr/bin/env node
// The `lethe` command. In a checkout it first builds what is older than its sources.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const script = new URL('../../../scripts/build.mjs', import.meta.url);
if (existsSync(fileURLToPath(script))) (await import(script.href)).build();
const { main } = await import('../dist/main.js');
process.exitCode = await main(process.argv.slice(2));
