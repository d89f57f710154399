export { type CliContext, createProgram, main } from './main.js';
