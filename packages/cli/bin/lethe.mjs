#!/usr/bin/env node
// The `lethe` command. In a checkout it first builds what is older than its sources.
import '../open-files.mjs';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const script = new URL('../../../scripts/build.mjs', import.meta.url);
if (existsSync(fileURLToPath(script))) {
  // The doctor tells what is wrong with the addon, also where it cannot be built.
  const command = process.argv.slice(2).find((word) => !word.startsWith('-'));
  await (await import(script.href)).build({ addon: command !== 'doctor' });
}
const { main } = await import('../dist/main.js');
process.exitCode = await main(process.argv.slice(2));
