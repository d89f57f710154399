#!/usr/bin/env node
// The `lethe` command of an installed package.
import '@lethe/cli/open-files';

const { main } = await import('lethe');
process.exitCode = await main(process.argv.slice(2));
