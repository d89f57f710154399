#!/usr/bin/env node
// The `lethe` command of an installed package.
import { main } from 'lethe';

process.exitCode = await main(process.argv.slice(2));
