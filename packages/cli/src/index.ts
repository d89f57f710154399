export type { CliContext } from './command-line/context.js';
export { createProgram, main } from './main.js';
